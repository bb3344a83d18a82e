package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"

	"mesh.lab/istio/network"
)

// socket is where the API server of the cluster connects to, in the working directory: see run.
const socket = "pods.sock"

// kubeletPort is where an API server asks the kubelet of a node.
const kubeletPort = 10250

// serveEgress answers what the API server of the cluster connects to: pods, Services and kubelets.
//
// The API server sends HTTP CONNECT to the socket in its folder, with the host that it would connect to.
func (n *node) serveEgress(ctx context.Context) {
	_ = os.Remove(socket) // of an earlier kubelet
	listener, err := net.Listen("unix", socket)
	if err != nil {
		log.Fatalf("%s: %v", n.name, err)
	}
	go func() {
		<-ctx.Done()
		_ = listener.Close()
	}()
	kubelet := newKubeletServer(ctx, n)
	for {
		connection, err := listener.Accept()
		if err != nil {
			return
		}
		go n.connect(ctx, connection, kubelet)
	}
}

func (n *node) connect(ctx context.Context, from net.Conn, kubelet *handed) {
	reader := bufio.NewReader(from)
	request, err := http.ReadRequest(reader)
	if err != nil {
		_ = from.Close()
		return
	}
	client := &buffered{from, reader}
	host, port, err := target(request.Host)
	if err == nil && port == kubeletPort && n.isNode(host) {
		fmt.Fprint(from, "HTTP/1.1 200 OK\r\n\r\n")
		kubelet.hand(client)
		return
	}
	if err == nil {
		err = n.reach(ctx, client, host, port)
	}
	if err != nil {
		fmt.Fprintf(from, "HTTP/1.1 503 Service Unavailable\r\nX-Reason: %s\r\n\r\n", err)
		_ = from.Close()
	}
}

// reach connects a client to a pod or a Service; an error means that nothing was answered yet.
func (n *node) reach(ctx context.Context, client net.Conn, host string, port int) error {
	address, err := n.resolve(host, port)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	to, err := network.Dial(ctx, address, network.Outside())
	if err != nil {
		return err
	}
	fmt.Fprint(client, "HTTP/1.1 200 OK\r\n\r\n")
	join(client, to)
	return nil
}

// resolve returns the address of the pod behind a host, which is of a pod or a Service, and a port.
func (n *node) resolve(host string, port int) (string, error) {
	address, err := netip.ParseAddr(host)
	if err == nil && n.workerAt(address) != nil {
		return netip.AddrPortFrom(address, uint16(port)).String(), nil
	}
	if err == nil {
		return n.endpointAt(address, port)
	}
	parts := strings.Split(host, ".")
	if len(parts) < 3 || parts[2] != "svc" {
		return "", fmt.Errorf("no such host: %s", host)
	}
	return n.endpoint(parts[1], parts[0], port)
}

func target(host string) (string, int, error) {
	name, text, err := net.SplitHostPort(host)
	if err != nil {
		return "", 0, err
	}
	port, err := strconv.Atoi(text)
	return name, port, err
}

// join copies both ways until both sides have ended.
func join(one, other net.Conn) {
	done := make(chan struct{}, 2)
	pipe := func(to, from net.Conn) {
		_, _ = io.Copy(to, from)
		if half, ok := to.(interface{ CloseWrite() error }); ok {
			_ = half.CloseWrite()
		} else {
			_ = to.Close()
		}
		done <- struct{}{}
	}
	go pipe(one, other)
	go pipe(other, one)
	<-done
	<-done
	_ = one.Close()
	_ = other.Close()
}

// buffered is a connection whose first bytes were read already.
type buffered struct {
	net.Conn
	reader *bufio.Reader
}

func (b *buffered) Read(into []byte) (int, error) { return b.reader.Read(into) }

func (b *buffered) CloseWrite() error {
	if half, ok := b.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return b.Conn.Close()
}
