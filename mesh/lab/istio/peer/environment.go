package peer

import (
	"os"
	"strings"
)

// FromEnvironment returns how a pod reaches its istiod, from what charts of Istio and the lab's kubelet set.
func FromEnvironment() Istiod {
	return Istiod{
		Address:   first(os.Getenv("CA_ADDR"), os.Getenv("CA_ADDRESS")),
		Socket:    os.Getenv("LAB_SOCKET"),
		TokenFile: "./var/run/secrets/tokens/istio-token",
		RootFile:  "./var/run/secrets/istio/root-cert.pem",
		Cluster:   ClusterFromEnvironment(),
	}
}

// SelfFromEnvironment returns what a pod says of itself.
func SelfFromEnvironment() Self {
	return Self{
		Cluster:   ClusterFromEnvironment(),
		Network:   first(os.Getenv("ISTIO_META_NETWORK"), os.Getenv("NETWORK")),
		Namespace: os.Getenv("POD_NAMESPACE"),
		Account:   first(os.Getenv("SERVICE_ACCOUNT"), "default"),
		Pod:       os.Getenv("POD_NAME"),
		Address:   first(os.Getenv("INSTANCE_IP"), "127.0.0.1"),
		Node:      os.Getenv("ISTIO_META_NODE_NAME"),
	}
}

// ClusterFromEnvironment returns the name that the cluster has in the mesh.
func ClusterFromEnvironment() string {
	return first(os.Getenv("ISTIO_META_CLUSTER_ID"), "Kubernetes")
}

func first(values ...string) string {
	for _, each := range values {
		if strings.TrimSpace(each) != "" {
			return each
		}
	}
	return ""
}
