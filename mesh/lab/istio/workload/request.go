package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"sync"
	"time"

	"istio.io/istio/pkg/hbone"
	"istio.io/istio/pkg/workloadapi"

	"mesh.lab/istio/network"
	"mesh.lab/istio/peer"
)

// outcome is what became of one request; Error is "" if it was answered.
type outcome struct {
	Number  int     `json:"number"`
	At      string  `json:"at"`
	Millis  float64 `json:"ms"`
	Error   string  `json:"error,omitempty"`
	Gateway string  `json:"gateway,omitempty"`
	Outer   string  `json:"gatewayIdentity,omitempty"`
	Server  string  `json:"serverIdentity,omitempty"`
	Answer  *reply  `json:"answer,omitempty"`
}

// asked are the flags.
type asked struct {
	to, cluster string
	count       int
	rate        float64
	timeout     time.Duration
	listOnly    bool
}

func parse(args []string) (asked, error) {
	var a asked
	flags := flag.NewFlagSet("request", flag.ContinueOnError)
	flags.StringVar(&a.to, "to", "", "host and port of a Service: hello.demo.svc.cluster.local:80")
	flags.StringVar(&a.cluster, "cluster", "", "only workloads of this cluster of the mesh")
	flags.IntVar(&a.count, "count", 1, "number of requests; 0: until a signal")
	flags.Float64Var(&a.rate, "rate", 10, "requests a second")
	flags.DurationVar(&a.timeout, "timeout", 5*time.Second, "how long a request may take")
	flags.BoolVar(&a.listOnly, "list", false, "print what istiod says of the mesh instead")
	if err := flags.Parse(args); err != nil {
		return a, err
	}
	if _, _, err := net.SplitHostPort(a.to); err != nil && !a.listOnly {
		return a, fmt.Errorf("--to: %w", err)
	}
	if a.rate <= 0 {
		return a, errors.New("--rate is more than 0")
	}
	return a, nil
}

func request(ctx context.Context, args []string) error {
	a, err := parse(args)
	if err != nil {
		return err
	}
	starting, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	istiod := peer.FromEnvironment()
	addresses := peer.Follow(ctx, istiod, peer.SelfFromEnvironment())
	select {
	case <-addresses.Synced():
	case <-starting.Done():
		return errors.New("istiod did not say what it knows of the mesh within 20 seconds")
	}
	if a.listOnly {
		return list(addresses)
	}
	identity, err := peer.NewIdentity(starting, istiod)
	if err != nil {
		return err
	}
	// The certificate of `starting` is renewed no longer than it lasts: long runs get one that is renewed.
	if a.count == 0 || float64(a.count)/a.rate > 15 {
		if identity, err = peer.NewIdentity(ctx, istiod); err != nil {
			return err
		}
	}
	send(ctx, a, addresses, identity, os.Stdout)
	return nil
}

// send sends requests at a steady rate, whether or not earlier ones have been answered.
func send(ctx context.Context, a asked, addresses *peer.Addresses, identity *peer.Identity, to io.Writer) {
	ticker := time.NewTicker(time.Duration(float64(time.Second) / a.rate))
	defer ticker.Stop()
	var waiting sync.WaitGroup
	var printing sync.Mutex
	for number := 1; a.count == 0 || number <= a.count; number++ {
		waiting.Go(func() {
			text, err := json.Marshal(one(ctx, a, addresses, identity, number))
			if err != nil {
				return
			}
			printing.Lock()
			defer printing.Unlock()
			_, _ = to.Write(append(text, '\n'))
		})
		select {
		case <-ctx.Done():
			waiting.Wait()
			return
		case <-ticker.C:
		}
	}
	waiting.Wait()
}

// one sends one request over connections of its own, so that each proves the whole way.
func one(ctx context.Context, a asked, addresses *peer.Addresses, identity *peer.Identity, number int) outcome {
	began := time.Now()
	found := outcome{Number: number, At: began.UTC().Format(time.RFC3339Nano)}
	ctx, cancel := context.WithTimeout(ctx, a.timeout)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- attempt(ctx, a, addresses, identity, number, &found) }()
	var err error
	select {
	case err = <-done:
	case <-ctx.Done():
		// The attempt may still write to its outcome, so this one is answered for with another.
		return outcome{Number: number, At: found.At, Millis: millis(began), Error: "no answer in time"}
	}
	found.Millis = millis(began)
	if err != nil {
		found.Error = err.Error()
	}
	return found
}

func attempt(
	ctx context.Context, a asked, addresses *peer.Addresses, identity *peer.Identity, number int, found *outcome,
) error {
	workload, err := choose(addresses, a, number)
	if err != nil {
		return err
	}
	connection, err := dial(ctx, workload, a.to, identity, found)
	if err != nil {
		return err
	}
	defer connection.Close()
	// What is read of it has no deadline of its own.
	over := context.AfterFunc(ctx, func() { _ = connection.Close() })
	defer over()
	request, err := http.NewRequest(http.MethodGet, "http://"+a.to+"/", nil)
	if err != nil {
		return err
	}
	if err := request.Write(connection); err != nil {
		return err
	}
	answer, err := http.ReadResponse(bufio.NewReader(connection), request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	return json.NewDecoder(answer.Body).Decode(&found.Answer)
}

// choose takes the workloads of the Service in turn; a remote network is one workload with a gateway.
func choose(addresses *peer.Addresses, a asked, number int) (*workloadapi.Workload, error) {
	some, err := addresses.Healthy(a.to, a.cluster)
	if err != nil {
		return nil, err
	}
	return some[number%len(some)], nil
}

// dial opens a tunnel to a workload: through the gateway of its network if it is in another.
func dial(
	ctx context.Context, workload *workloadapi.Workload, to string, identity *peer.Identity, found *outcome,
) (net.Conn, error) {
	_, port, _ := net.SplitHostPort(to)
	if gateway := workload.NetworkGateway; gateway != nil {
		at, err := gatewayAddress(gateway)
		if err != nil {
			return nil, err
		}
		found.Gateway = at
		local, err := network.Local(at)
		if err != nil {
			return nil, err
		}
		outer := hbone.Config{ProxyAddress: local, TLS: identity.Client(func(name string) { found.Outer = name })}
		inner := identity.Client(func(name string) { found.Server = name })
		dialer := hbone.NewDoubleDialer(outer, hbone.Config{ProxyAddress: local, TLS: inner}, inner)
		return dialer.DialContext(ctx, "tcp", to)
	}
	if len(workload.Addresses) == 0 {
		return nil, errors.New("the workload has no address")
	}
	address, _ := netip.AddrFromSlice(workload.Addresses[0])
	local, err := network.Local(netip.AddrPortFrom(address, peer.Port).String())
	if err != nil {
		return nil, err
	}
	config := hbone.Config{ProxyAddress: local, TLS: identity.Client(func(name string) { found.Server = name })}
	return hbone.NewDialer(config).DialContext(ctx, "tcp", net.JoinHostPort(address.String(), port))
}

func gatewayAddress(gateway *workloadapi.GatewayAddress) (string, error) {
	port := uint16(gateway.HboneMtlsPort)
	if port == 0 {
		port = peer.Port
	}
	address, ok := netip.AddrFromSlice(gateway.GetAddress().GetAddress())
	if !ok {
		return "", fmt.Errorf("the gateway has no address: %s", gateway.GetHostname().GetHostname())
	}
	return netip.AddrPortFrom(address, port).String(), nil
}

func millis(began time.Time) float64 {
	return float64(time.Since(began).Microseconds()) / 1000
}
