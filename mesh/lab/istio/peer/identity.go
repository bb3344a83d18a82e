// Package peer is what a workload of a mesh needs to talk to others: a certificate, the addresses of the mesh, and
// HBONE.
package peer

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	pb "istio.io/api/security/v1alpha1"
	"istio.io/istio/security/pkg/pki/util"

	"mesh.lab/istio/network"
)

// Istiod is how a workload reaches the istiod of its cluster.
type Istiod struct {
	Address   string // host and port, as pods name it
	Socket    string // of the cluster's kubelet, which knows that host
	TokenFile string // of the workload's account, for audience istio-ca
	RootFile  string // what the certificate of istiod is verified with
	Cluster   string
}

// dial connects with the current root and token: both files are kept in step by a kubelet.
func (i Istiod) dial() (*grpc.ClientConn, error) {
	root, err := os.ReadFile(i.RootFile)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(root) {
		return nil, fmt.Errorf("no certificate in %s", i.RootFile)
	}
	host, _, _ := strings.Cut(i.Address, ":")
	return grpc.NewClient("passthrough:///"+i.Address,
		grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{RootCAs: pool, ServerName: host})),
		grpc.WithContextDialer(func(ctx context.Context, to string) (net.Conn, error) {
			return network.Connect(ctx, i.Socket, to)
		}),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(64<<20)))
}

// authorized returns a context with the token of the workload.
func (i Istiod) authorized(ctx context.Context) (context.Context, error) {
	token, err := os.ReadFile(i.TokenFile)
	if err != nil {
		return nil, err
	}
	bearer := "Bearer " + strings.TrimSpace(string(token))
	return metadata.AppendToOutgoingContext(ctx, "authorization", bearer, "clusterid", i.Cluster), nil
}

// Identity is a certificate, renewed while the program runs, and what others' are verified with.
type Identity struct {
	istiod Istiod
	now    atomic.Pointer[material]
}

type material struct {
	certificate tls.Certificate
	roots       *x509.CertPool
	until       time.Time
}

// NewIdentity gets a certificate from istiod, waiting until there is one or ctx is done, and keeps it fresh.
func NewIdentity(ctx context.Context, istiod Istiod) (*Identity, error) {
	identity := &Identity{istiod: istiod}
	for {
		err := identity.renew(ctx)
		if err == nil {
			break
		}
		log.Printf("no certificate: %v", err)
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(time.Second):
		}
	}
	go identity.keep(ctx)
	return identity, nil
}

func (i *Identity) keep(ctx context.Context) {
	for ctx.Err() == nil {
		left := time.Until(i.now.Load().until)
		select {
		case <-ctx.Done():
		case <-time.After(max(left/2, time.Second)):
			if err := i.renew(ctx); err != nil {
				log.Printf("the certificate is not renewed: %v", err)
			}
		}
	}
}

func (i *Identity) renew(ctx context.Context) error {
	request, key, err := util.GenCSR(util.CertOptions{ECSigAlg: util.EcdsaSigAlg, PKCS8Key: true})
	if err != nil {
		return err
	}
	connection, err := i.istiod.dial()
	if err != nil {
		return err
	}
	defer connection.Close()
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if ctx, err = i.istiod.authorized(ctx); err != nil {
		return err
	}
	answer, err := pb.NewIstioCertificateServiceClient(connection).CreateCertificate(ctx, &pb.IstioCertificateRequest{
		Csr: string(request), ValidityDuration: int64((24 * time.Hour).Seconds()),
	})
	if err != nil {
		return err
	}
	return i.take(answer.CertChain, key)
}

// take uses a chain: the certificate first, the root last.
func (i *Identity) take(chain []string, key []byte) error {
	if len(chain) < 2 {
		return errors.New("istiod answered without a root")
	}
	pair, err := tls.X509KeyPair([]byte(strings.Join(chain[:len(chain)-1], "\n")), key)
	if err != nil {
		return err
	}
	leaf, err := x509.ParseCertificate(pair.Certificate[0])
	if err != nil {
		return err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(chain[len(chain)-1]))
	i.now.Store(&material{pair, roots, leaf.NotAfter})
	return nil
}

// Name returns the SPIFFE identity.
func (i *Identity) Name() string {
	leaf, err := x509.ParseCertificate(i.now.Load().certificate.Certificate[0])
	if err != nil {
		return ""
	}
	return nameOf(leaf)
}

// Server returns the settings of a server that asks for a certificate of the mesh.
func (i *Identity) Server() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		NextProtos: []string{"h2"},
		ClientAuth: tls.RequireAnyClientCert,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return &i.now.Load().certificate, nil
		},
		VerifyConnection: func(state tls.ConnectionState) error {
			_, err := i.verify(state, x509.ExtKeyUsageClientAuth)
			return err
		},
	}
}

// Client returns the settings of a client; seen gets the identity of the server.
func (i *Identity) Client(seen func(string)) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		NextProtos: []string{"h2"},
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			return &i.now.Load().certificate, nil
		},
		// Names of SPIFFE are no host names: the chain is verified below.
		InsecureSkipVerify: true,
		VerifyConnection: func(state tls.ConnectionState) error {
			name, err := i.verify(state, x509.ExtKeyUsageServerAuth)
			seen(name)
			return err
		},
	}
}

func (i *Identity) verify(state tls.ConnectionState, usage x509.ExtKeyUsage) (string, error) {
	between := x509.NewCertPool()
	for _, each := range state.PeerCertificates[1:] {
		between.AddCert(each)
	}
	leaf := state.PeerCertificates[0]
	_, err := leaf.Verify(x509.VerifyOptions{
		Roots: i.now.Load().roots, Intermediates: between, KeyUsages: []x509.ExtKeyUsage{usage},
	})
	if err != nil {
		return "", err
	}
	if nameOf(leaf) == "" {
		return "", errors.New("the certificate has no SPIFFE identity")
	}
	return nameOf(leaf), nil
}

func nameOf(leaf *x509.Certificate) string {
	for _, each := range leaf.URIs {
		if each.Scheme == "spiffe" {
			return each.String()
		}
	}
	return ""
}
