package peer

import (
	"context"
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"time"
)

// Port is where pods and gateways take tunnels.
const Port = 15008

// Listen listens for tunnels at an address until ctx is done.
func Listen(ctx context.Context, address string) (net.Listener, error) {
	listener, err := net.Listen("tcp", net.JoinHostPort(address, strconv.Itoa(Port)))
	if err == nil {
		context.AfterFunc(ctx, func() { _ = listener.Close() })
	}
	return listener, err
}

// Accept decides where a tunnel leads: the authority that the client asked for, and who the client is.
type Accept func(authority, client string) (io.ReadWriteCloser, error)

// Serve serves HBONE on a listener: HTTP/2 CONNECT inside mutual TLS.
func Serve(listener net.Listener, identity *Identity, accept Accept) error {
	server := &http.Server{
		ReadHeaderTimeout: 10 * time.Second,
		Handler: http.HandlerFunc(func(answer http.ResponseWriter, request *http.Request) {
			if request.Method != http.MethodConnect {
				answer.WriteHeader(http.StatusMethodNotAllowed)
				return
			}
			tunnel(answer, request, accept)
		}),
		TLSConfig: identity.Server(),
	}
	return server.ServeTLS(listener, "", "")
}

func tunnel(answer http.ResponseWriter, request *http.Request, accept Accept) {
	to, err := accept(request.Host, clientOf(request.TLS))
	if err != nil {
		log.Printf("%s is refused: %v", request.Host, err)
		answer.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	defer to.Close()
	answer.WriteHeader(http.StatusOK)
	flushed := &flushing{answer, http.NewResponseController(answer)}
	if flushed.flush() != nil {
		return
	}
	over := context.AfterFunc(request.Context(), func() { _ = to.Close() })
	defer over()
	go func() {
		_, _ = io.Copy(to, request.Body)
		if half, ok := to.(interface{ CloseWrite() error }); ok {
			_ = half.CloseWrite()
		} else {
			_ = to.Close()
		}
	}()
	_, _ = io.Copy(flushed, to)
}

func clientOf(state *tls.ConnectionState) string {
	if state == nil || len(state.PeerCertificates) == 0 {
		return ""
	}
	return nameOf(state.PeerCertificates[0])
}

// flushing sends what is written at once: a tunnel does not wait for more.
type flushing struct {
	answer     http.ResponseWriter
	controller *http.ResponseController
}

func (f *flushing) Write(some []byte) (int, error) {
	count, err := f.answer.Write(some)
	if err == nil {
		err = f.controller.Flush()
	}
	return count, err
}

func (f *flushing) flush() error { return f.controller.Flush() }
