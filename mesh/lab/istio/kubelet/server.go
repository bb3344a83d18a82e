package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"

	"k8s.io/cri-streaming/pkg/streaming/portforward"
)

// handed is a listener whose connections come from elsewhere in this process.
type handed struct {
	connections chan net.Conn
	ctx         context.Context
}

func (h *handed) hand(connection net.Conn) {
	select {
	case h.connections <- connection:
	case <-h.ctx.Done():
		_ = connection.Close()
	}
}

func (h *handed) Accept() (net.Conn, error) {
	select {
	case connection := <-h.connections:
		return connection, nil
	case <-h.ctx.Done():
		return nil, net.ErrClosed
	}
}

func (h *handed) Close() error { return nil }

func (h *handed) Addr() net.Addr { return &net.UnixAddr{Name: "kubelet", Net: "unix"} }

// newKubeletServer serves what an API server asks the kubelet of a node for: logs and port-forward.
func newKubeletServer(ctx context.Context, n *node) *handed {
	listener := &handed{make(chan net.Conn), ctx}
	handler := http.NewServeMux()
	handler.HandleFunc("GET /containerLogs/{namespace}/{pod}/{container}", n.serveLog)
	handler.HandleFunc("/portForward/{namespace}/{pod}", n.servePortForward)
	handler.HandleFunc("/portForward/{namespace}/{pod}/{uid}", n.servePortForward)
	certificate, err := selfSigned()
	if err != nil {
		log.Fatalf("%s: %v", n.name, err)
	}
	server := &http.Server{
		Handler: handler, ReadHeaderTimeout: 10 * time.Second,
		// SPDY upgrades a connection, which HTTP/2 cannot.
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{certificate}, NextProtos: []string{"http/1.1"}},
	}
	go func() { _ = server.ServeTLS(listener, "", "") }()
	return listener
}

func (n *node) serveLog(answer http.ResponseWriter, request *http.Request) {
	found := n.workerOf(request.PathValue("namespace"), request.PathValue("pod"))
	if found == nil {
		http.Error(answer, "the pod is not on this node", http.StatusNotFound)
		return
	}
	for _, each := range found.containers {
		if each.spec.Name == request.PathValue("container") {
			file, err := os.Open(each.log())
			if err != nil {
				http.Error(answer, err.Error(), http.StatusNotFound)
				return
			}
			defer file.Close()
			sendLog(answer, request, file)
			return
		}
	}
	http.Error(answer, "the pod has no such container", http.StatusNotFound)
}

// sendLog sends a log, of which kubectl may ask for the last lines, and to go on with what is added.
func sendLog(answer http.ResponseWriter, request *http.Request, file *os.File) {
	query := request.URL.Query()
	text, err := io.ReadAll(file)
	if err != nil {
		return
	}
	if most, err := strconv.Atoi(query.Get("tailLines")); err == nil {
		lines := strings.SplitAfter(string(text), "\n")
		text = []byte(strings.Join(lines[max(0, len(lines)-1-most):], ""))
	}
	_, _ = answer.Write(text)
	controller := http.NewResponseController(answer)
	for query.Get("follow") == "true" && controller.Flush() == nil {
		select {
		case <-request.Context().Done():
			return
		case <-time.After(turn):
			_, _ = io.Copy(answer, file)
		}
	}
}

func (n *node) servePortForward(answer http.ResponseWriter, request *http.Request) {
	found := n.workerOf(request.PathValue("namespace"), request.PathValue("pod"))
	if found == nil {
		http.Error(answer, "the pod is not on this node", http.StatusNotFound)
		return
	}
	options, err := portforward.NewV4Options(request)
	if err != nil {
		http.Error(answer, err.Error(), http.StatusBadRequest)
		return
	}
	pod := found.pod()
	portforward.ServePortForward(
		answer, request, found, pod.Name, string(pod.UID), options, 4*time.Hour, 30*time.Second,
		portforward.SupportedProtocols,
	)
}

// PortForward connects a stream to a port of the pod, which sees a client on its own loopback.
func (w *worker) PortForward(ctx context.Context, _, _ string, port int32, stream io.ReadWriteCloser) error {
	at := netip.AddrPortFrom(w.loopback, uint16(port)).String()
	connection, err := (&net.Dialer{}).DialContext(ctx, "tcp", at)
	if err != nil {
		return fmt.Errorf("port %d of the pod: %w", port, err)
	}
	defer connection.Close()
	go func() {
		_, _ = io.Copy(connection, stream)
		_ = connection.(*net.TCPConn).CloseWrite()
	}()
	_, err = io.Copy(stream, connection)
	return err
}

func selfSigned() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	about := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().AddDate(1, 0, 0)}
	raw, err := x509.CreateCertificate(rand.Reader, about, about, key.Public(), key)
	return tls.Certificate{Certificate: [][]byte{raw}, PrivateKey: key}, err
}
