package peer

import (
	"context"
	"fmt"
	"log"
	"net"
	"strings"
	"sync"
	"time"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	discovery "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/protobuf/types/known/structpb"
	"istio.io/istio/pkg/workloadapi"
)

const addressType = "type.googleapis.com/istio.workload.Address"

// Self is who asks istiod: what a ztunnel says of itself.
type Self struct {
	Cluster, Network, Namespace, Account, Pod, Address, Node string
}

// Addresses is what istiod says of the workloads and Services of the mesh, by the names that it gives them.
type Addresses struct {
	mutex  sync.RWMutex
	known  map[string]*workloadapi.Address
	synced chan struct{}
}

// Follow asks istiod for all addresses and follows what it says until ctx is done.
func Follow(ctx context.Context, istiod Istiod, self Self) *Addresses {
	a := &Addresses{known: map[string]*workloadapi.Address{}, synced: make(chan struct{})}
	go func() {
		for ctx.Err() == nil {
			if err := a.follow(ctx, istiod, self); err != nil && ctx.Err() == nil {
				log.Printf("workload discovery: %v", err)
			}
			select {
			case <-ctx.Done():
			case <-time.After(time.Second):
			}
		}
	}()
	return a
}

// Synced is closed when istiod has answered once.
func (a *Addresses) Synced() <-chan struct{} { return a.synced }

// All returns a copy of what is known.
func (a *Addresses) All() map[string]*workloadapi.Address {
	a.mutex.RLock()
	defer a.mutex.RUnlock()
	all := make(map[string]*workloadapi.Address, len(a.known))
	for name, each := range a.known {
		all[name] = each
	}
	return all
}

// Healthy returns the healthy workloads of a Service, "host:port", in a cluster only if one is named; never none.
func (a *Addresses) Healthy(authority, cluster string) ([]*workloadapi.Workload, error) {
	host, _, err := net.SplitHostPort(authority)
	if err != nil {
		return nil, err
	}
	parts := strings.Split(host, ".")
	if len(parts) < 2 {
		return nil, fmt.Errorf("%s is no Service", host)
	}
	service, all, some := parts[1]+"/"+host, 0, []*workloadapi.Workload{}
	for _, each := range a.All() {
		workload := each.GetWorkload()
		if workload == nil || workload.Services[service] == nil {
			continue
		}
		all++
		isWanted := cluster == "" || workload.ClusterId == cluster
		if isWanted && workload.Status == workloadapi.WorkloadStatus_HEALTHY {
			some = append(some, workload)
		}
	}
	if len(some) == 0 {
		return nil, fmt.Errorf("istiod knows no healthy workload of %s%s (of %d)", host, in(cluster), all)
	}
	return some, nil
}

func in(cluster string) string {
	if cluster == "" {
		return ""
	}
	return " in " + cluster
}

func (a *Addresses) follow(ctx context.Context, istiod Istiod, self Self) error {
	connection, err := istiod.dial()
	if err != nil {
		return err
	}
	defer connection.Close()
	if ctx, err = istiod.authorized(ctx); err != nil {
		return err
	}
	stream, err := discovery.NewAggregatedDiscoveryServiceClient(connection).DeltaAggregatedResources(ctx)
	if err != nil {
		return err
	}
	if err := stream.Send(self.request()); err != nil {
		return err
	}
	for first := true; ; first = false {
		answer, err := stream.Recv()
		if err != nil {
			return err
		}
		if err := a.take(answer, first); err != nil {
			return err
		}
		ack := &discovery.DeltaDiscoveryRequest{TypeUrl: addressType, ResponseNonce: answer.Nonce}
		if err := stream.Send(ack); err != nil {
			return err
		}
	}
}

func (s Self) request() *discovery.DeltaDiscoveryRequest {
	fields := map[string]*structpb.Value{}
	for name, value := range map[string]string{
		"CLUSTER_ID": s.Cluster, "NETWORK": s.Network, "NAMESPACE": s.Namespace, "SERVICE_ACCOUNT": s.Account,
		"NODE_NAME": s.Node, "NAME": s.Pod, "INSTANCE_IPS": s.Address,
	} {
		fields[name] = structpb.NewStringValue(value)
	}
	id := "ztunnel~" + s.Address + "~" + s.Pod + "." + s.Namespace + "~" + s.Namespace + ".svc.cluster.local"
	return &discovery.DeltaDiscoveryRequest{
		Node:    &core.Node{Id: id, Metadata: &structpb.Struct{Fields: fields}},
		TypeUrl: addressType, ResourceNamesSubscribe: []string{"*"},
	}
}

// take keeps an answer. The first of a stream has everything: what it does not have is gone.
func (a *Addresses) take(answer *discovery.DeltaDiscoveryResponse, first bool) error {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	if first {
		a.known = map[string]*workloadapi.Address{}
	}
	for _, each := range answer.Resources {
		address := &workloadapi.Address{}
		if err := each.Resource.UnmarshalTo(address); err != nil {
			return err
		}
		a.known[each.Name] = address
	}
	for _, name := range answer.RemovedResources {
		delete(a.known, name)
	}
	select {
	case <-a.synced:
	default:
		close(a.synced)
	}
	return nil
}
