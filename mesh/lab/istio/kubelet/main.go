// Kubelet runs the pods of a lab that are more than objects: those of istiod, of gateways and of workloads.
//
// It does for them what a kubelet, a container runtime and kube-proxy do: processes with the arguments, the
// environment and the files of the pod's spec, probes, restarts, an orderly end, logs, port-forward, addresses of
// Services. All other pods stay with kwok.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"syscall"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"mesh.lab/istio/network"
)

func main() {
	log.SetFlags(log.Ltime)
	name := flag.String("cluster", "", "name of the cluster")
	kubeconfig := flag.String("kubeconfig", "", "how to reach its API server")
	folder := flag.String("folder", "", "folder of the cluster, for sockets and the files of pods")
	programs := flag.String("programs", "", "folder with the programs that containers run")
	addresses := flag.String("addresses", "", "addresses of pods: 10.130.254.0/24")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *name, *kubeconfig, *folder, *programs, *addresses); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, name, kubeconfig, folder, programs, addresses string) error {
	prefix, err := netip.ParsePrefix(addresses)
	if err != nil {
		return err
	}
	// A socket's path is limited to about a hundred bytes, so the socket is named from its folder.
	if err := os.Chdir(folder); err != nil {
		return err
	}
	held, err := hold(prefix)
	if err != nil {
		return err
	}
	defer held.Close()
	config, err := configOf(kubeconfig)
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	newNode(name, folder, programs, prefix, client, config).run(ctx)
	return nil
}

// hold listens at the first of the addresses, which no pod gets: so no other lab of the machine takes them.
func hold(addresses netip.Prefix) (net.Listener, error) {
	first, ok := network.Loopback(addresses.Masked().Addr())
	if !ok {
		return nil, fmt.Errorf("%s are no addresses of a lab", addresses)
	}
	return net.Listen("tcp", netip.AddrPortFrom(first, kubeletPort).String())
}

func configOf(kubeconfig string) (*rest.Config, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, err
	}
	config.QPS, config.Burst = 200, 400
	config.UserAgent = "kubelet"
	return config, nil
}
