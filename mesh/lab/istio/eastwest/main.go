// Eastwest does what the pod of an east-west gateway does: tunnels of other networks end here, and what is inside,
// a tunnel of its own, goes on to a workload of the Service that was asked for.
//
// Which workloads these are, istiod says, as it does to a ztunnel.
package main

import (
	"context"
	"errors"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/signal"
	"syscall"
	"time"

	"mesh.lab/istio/network"
	"mesh.lab/istio/peer"
)

func main() {
	log.SetFlags(log.Ltime)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil && ctx.Err() == nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) error {
	address := os.Getenv("LAB_ADDRESS")
	istiod := peer.FromEnvironment()
	ready := make(chan struct{})
	go serveReady(address, ready)
	identity, err := peer.NewIdentity(ctx, istiod)
	if err != nil {
		return err
	}
	log.Printf("this is %s", identity.Name())
	addresses := peer.Follow(ctx, istiod, peer.SelfFromEnvironment())
	select {
	case <-addresses.Synced():
	case <-ctx.Done():
		return ctx.Err()
	}
	listener, err := peer.Listen(ctx, address)
	if err != nil {
		return err
	}
	close(ready)
	cluster := peer.ClusterFromEnvironment()
	return peer.Serve(listener, identity, func(authority, client string) (io.ReadWriteCloser, error) {
		log.Printf("%s asks for %s", client, authority)
		return onward(ctx, addresses, cluster, authority)
	})
}

// onward connects to a workload of this cluster behind a Service, "host:port".
func onward(ctx context.Context, addresses *peer.Addresses, cluster, authority string) (net.Conn, error) {
	workloads, err := addresses.Healthy(authority, cluster)
	if err != nil {
		return nil, err
	}
	targets := []string{}
	for _, each := range workloads {
		if len(each.Addresses) == 0 {
			continue
		}
		if address, ok := netip.AddrFromSlice(each.Addresses[0]); ok {
			targets = append(targets, netip.AddrPortFrom(address, peer.Port).String())
		}
	}
	if len(targets) == 0 {
		return nil, errors.New("no healthy workload")
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	return network.Dial(ctx, targets[rand.IntN(len(targets))], nil)
}

// serveReady answers the probe of the gateway's pod.
func serveReady(address string, ready <-chan struct{}) {
	handler := http.NewServeMux()
	handler.HandleFunc("GET /healthz/ready", func(answer http.ResponseWriter, _ *http.Request) {
		select {
		case <-ready:
		default:
			answer.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	server := &http.Server{Addr: address + ":15021", Handler: handler, ReadHeaderTimeout: 5 * time.Second}
	log.Fatal(server.ListenAndServe())
}
