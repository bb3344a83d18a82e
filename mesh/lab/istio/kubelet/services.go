package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"time"

	core "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/labels"

	"mesh.lab/istio/network"
)

// endpoint returns the address of a ready pod behind a port of a Service.
func (n *node) endpoint(namespace, name string, port int) (string, error) {
	service, err := n.services.Services(namespace).Get(name)
	if err != nil {
		return "", err
	}
	for _, each := range service.Spec.Ports {
		if int(each.Port) == port {
			return n.endpointOf(service, each)
		}
	}
	return "", fmt.Errorf("Service %s/%s has no port %d", namespace, name, port)
}

func (n *node) endpointAt(address netip.Addr, port int) (string, error) {
	services, err := n.services.List(labels.Everything())
	if err != nil {
		return "", err
	}
	for _, each := range services {
		if each.Spec.ClusterIP == address.String() {
			return n.endpoint(each.Namespace, each.Name, port)
		}
	}
	return "", fmt.Errorf("nothing runs at %s", address)
}

func (n *node) endpointOf(service *core.Service, port core.ServicePort) (string, error) {
	of := labels.Set{discovery.LabelServiceName: service.Name}.AsSelector()
	slices, err := n.slices.EndpointSlices(service.Namespace).List(of)
	if err != nil {
		return "", err
	}
	found := []string{}
	for _, slice := range slices {
		for _, each := range slice.Ports {
			if each.Port == nil || (each.Name != nil && *each.Name != port.Name) {
				continue
			}
			found = append(found, n.ready(slice, uint16(*each.Port))...)
		}
	}
	if len(found) == 0 {
		return "", fmt.Errorf("no endpoints available for service %q", service.Name)
	}
	return found[rand.IntN(len(found))], nil
}

// ready returns the addresses of the ready endpoints that run here, with a port.
func (n *node) ready(slice *discovery.EndpointSlice, port uint16) []string {
	found := []string{}
	for _, each := range slice.Endpoints {
		address, err := netip.ParseAddr(each.Addresses[0])
		if err == nil && (each.Conditions.Ready == nil || *each.Conditions.Ready) && n.workerAt(address) != nil {
			found = append(found, netip.AddrPortFrom(address, port).String())
		}
	}
	return found
}

func (n *node) isNode(host string) bool {
	nodes, err := n.nodes.List(labels.Everything())
	if err != nil {
		return false
	}
	for _, node := range nodes {
		for _, each := range node.Status.Addresses {
			if each.Address == host {
				return true
			}
		}
	}
	return false
}

// forwardServices listens at the addresses of Services, as kube-proxy does: those of the cluster, and those of
// load balancers, which have the same numbers.
func (n *node) forwardServices(ctx context.Context) {
	listeners := map[string]net.Listener{}
	for ctx.Err() == nil {
		wanted := n.servicePorts()
		for address, listener := range listeners {
			if _, still := wanted[address]; !still {
				_ = listener.Close()
				delete(listeners, address)
			}
		}
		for address, port := range wanted {
			if listeners[address] != nil {
				continue
			}
			listener, err := net.Listen("tcp", address)
			if err != nil {
				continue // tried again in a moment
			}
			listeners[address] = listener
			go n.forward(ctx, listener, port)
		}
		pause(ctx, nil, time.Second)
	}
	for _, each := range listeners {
		_ = each.Close()
	}
}

// behind is a port of a Service.
type behind struct {
	namespace, name string
	port            int
}

// servicePorts returns the loopback addresses to listen at: those of Services with a pod that runs here.
func (n *node) servicePorts() map[string]behind {
	found := map[string]behind{}
	services, err := n.services.List(labels.Everything())
	if err != nil {
		return found
	}
	for _, each := range services {
		address, err := netip.ParseAddr(each.Spec.ClusterIP)
		if err != nil {
			continue
		}
		loopback, ok := network.Loopback(address)
		for _, port := range each.Spec.Ports {
			if _, err := n.endpointOf(each, port); err == nil && ok && port.Protocol != core.ProtocolUDP {
				at := netip.AddrPortFrom(loopback, uint16(port.Port)).String()
				found[at] = behind{each.Namespace, each.Name, int(port.Port)}
			}
		}
	}
	return found
}

func (n *node) forward(ctx context.Context, listener net.Listener, to behind) {
	for {
		client, err := listener.Accept()
		if err != nil {
			return
		}
		go func() {
			defer client.Close()
			address, err := n.endpoint(to.namespace, to.name, to.port)
			if err != nil {
				return
			}
			limited, cancel := context.WithTimeout(ctx, 5*time.Second)
			defer cancel()
			if pod, err := network.Dial(limited, address, nil); err == nil {
				join(client, pod)
			}
		}()
	}
}
