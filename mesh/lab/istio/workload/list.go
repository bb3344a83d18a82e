package main

import (
	"encoding/json"
	"maps"
	"net/netip"
	"os"
	"slices"

	"istio.io/istio/pkg/workloadapi"

	"mesh.lab/istio/peer"
)

// entry is what istiod says of one workload or Service, for people and tests.
type entry struct {
	Name        string   `json:"name"`
	Kind        string   `json:"kind"`
	Cluster     string   `json:"cluster,omitempty"`
	Network     string   `json:"network,omitempty"`
	TrustDomain string   `json:"trustDomain,omitempty"`
	Addresses   []string `json:"addresses"`
	Gateway     string   `json:"gateway,omitempty"`
	Services    []string `json:"services,omitempty"`
	Tunnel      string   `json:"tunnel,omitempty"`
	Capacity    uint32   `json:"capacity,omitempty"`
}

// list prints all that istiod says, one JSON object a line, sorted by name.
func list(addresses *peer.Addresses) error {
	all := addresses.All()
	encoder := json.NewEncoder(os.Stdout)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if err := encoder.Encode(described(name, all[name])); err != nil {
			return err
		}
	}
	return nil
}

func described(name string, address *workloadapi.Address) entry {
	if service := address.GetService(); service != nil {
		found := entry{Name: name, Kind: "Service", Addresses: []string{}}
		for _, each := range service.Addresses {
			ip, _ := netip.AddrFromSlice(each.Address)
			found.Addresses = append(found.Addresses, each.Network+"/"+ip.String())
		}
		return found
	}
	workload := address.GetWorkload()
	found := entry{
		Name: name, Kind: "Workload", Cluster: workload.GetClusterId(), Network: workload.GetNetwork(),
		TrustDomain: workload.GetTrustDomain(), Tunnel: workload.GetTunnelProtocol().String(),
		Services: slices.Sorted(maps.Keys(workload.GetServices())), Capacity: workload.GetCapacity().GetValue(),
		Addresses: []string{},
	}
	for _, each := range workload.GetAddresses() {
		ip, _ := netip.AddrFromSlice(each)
		found.Addresses = append(found.Addresses, ip.String())
	}
	if gateway := workload.GetNetworkGateway(); gateway != nil {
		found.Gateway, _ = gatewayAddress(gateway)
	}
	return found
}
