// Package network maps the addresses of a lab to loopback, where its processes listen.
//
// The addresses of pods (10.a.b.c), of Services (10.a.b.c) and of load balancers (100.a.b.c) are unique on a
// machine, and a load balancer has the numbers of its Service. All of 127.0.0.0/8 is loopback on Linux, so every
// pod listens on 127.a.b.c with the ports that it has in life, and nothing leaves the machine.
package network

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"time"
)

// Loopback returns the loopback address of a lab address; false if it is none of a lab.
func Loopback(address netip.Addr) (netip.Addr, bool) {
	if !address.Is4() {
		return netip.Addr{}, false
	}
	bytes := address.As4()
	if bytes[0] != 10 && bytes[0] != 100 {
		return netip.Addr{}, false
	}
	bytes[0] = 127
	return netip.AddrFrom4(bytes), true
}

// Dial connects to a lab address, "10.1.2.3:15008". A non-nil from is the local address of the connection.
func Dial(ctx context.Context, address string, from net.Addr) (net.Conn, error) {
	local, err := Local(address)
	if err != nil {
		return nil, err
	}
	dialer := net.Dialer{LocalAddr: from}
	return dialer.DialContext(ctx, "tcp", local)
}

// Local returns the loopback address and port of those of a lab, "10.1.2.3:15008".
func Local(address string) (string, error) {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return "", fmt.Errorf("%q is not an address: %w", address, err)
	}
	local, ok := Loopback(to.Addr())
	if !ok {
		return "", fmt.Errorf("%s is no address of a lab", to.Addr())
	}
	return netip.AddrPortFrom(local, to.Port()).String(), nil
}

// Outside returns an address of this machine that is not loopback, nil if it has none.
//
// A pod sees its API server at such an address. Istiod opens its debug door to loopback, so a lab whose API
// server came from there would be kinder than life.
func Outside() net.Addr {
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	for _, each := range addresses {
		if found, ok := each.(*net.IPNet); ok && found.IP.To4() != nil && !found.IP.IsLoopback() {
			return &net.TCPAddr{IP: found.IP}
		}
	}
	return nil
}

// Connect connects to a host by the name that it has in a cluster, through the socket of that cluster's kubelet.
func Connect(ctx context.Context, socket, host string) (net.Conn, error) {
	connection, err := (&net.Dialer{}).DialContext(ctx, "unix", socket)
	if err != nil {
		return nil, err
	}
	if deadline, ok := ctx.Deadline(); ok {
		_ = connection.SetDeadline(deadline)
	}
	if err := ask(connection, host); err != nil {
		_ = connection.Close()
		return nil, err
	}
	return connection, connection.SetDeadline(time.Time{})
}

// ask reads no further than the end of the answer: what follows belongs to the caller.
func ask(connection net.Conn, host string) error {
	if _, err := fmt.Fprintf(connection, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n\r\n", host, host); err != nil {
		return err
	}
	answer, one := []byte{}, make([]byte, 1)
	for !bytes.HasSuffix(answer, []byte("\r\n\r\n")) && len(answer) < 4096 {
		if _, err := io.ReadFull(connection, one); err != nil {
			return err
		}
		answer = append(answer, one...)
	}
	if first, rest, _ := strings.Cut(string(answer), "\r\n"); !strings.Contains(first, " 200 ") {
		return fmt.Errorf("%s: %s", host, strings.TrimSpace(strings.TrimPrefix(rest, "X-Reason: ")))
	}
	return nil
}
