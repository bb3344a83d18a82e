package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// prober counts what a probe of a container found in a row.
type prober struct {
	probe     *core.Probe
	container core.Container
	address   string
	next      time.Time
	good, bad int32
	why       string
}

func newProber(probe *core.Probe, container core.Container, address string, started time.Time) *prober {
	if probe == nil {
		return nil
	}
	first := started.Add(time.Duration(probe.InitialDelaySeconds) * time.Second)
	return &prober{probe: probe, container: container, address: address, next: first}
}

// look asks once if it is time to.
func (p *prober) look(ctx context.Context) {
	if p == nil || time.Now().Before(p.next) {
		return
	}
	p.next = time.Now().Add(time.Duration(max(1, p.probe.PeriodSeconds)) * time.Second)
	ctx, cancel := context.WithTimeout(ctx, time.Duration(max(1, p.probe.TimeoutSeconds))*time.Second)
	defer cancel()
	if err := p.ask(ctx); err != nil {
		p.good, p.bad, p.why = 0, p.bad+1, err.Error()
	} else {
		p.good, p.bad, p.why = p.good+1, 0, ""
	}
}

// passes tells whether the probe found its container well often enough; a container without a probe is well.
func (p *prober) passes() bool { return p == nil || p.good >= max(1, p.probe.SuccessThreshold) }

// fails tells whether the probe failed often enough in a row.
func (p *prober) fails() bool { return p != nil && p.bad >= max(1, p.probe.FailureThreshold) }

// reason returns why the last look failed, "" if it did not.
func (p *prober) reason() string {
	if p == nil {
		return ""
	}
	return p.why
}

func (p *prober) ask(ctx context.Context) error {
	switch {
	case p.probe.HTTPGet != nil:
		return p.get(ctx, p.probe.HTTPGet)
	case p.probe.TCPSocket != nil:
		connection, err := (&net.Dialer{}).DialContext(ctx, "tcp", p.at(p.probe.TCPSocket.Port))
		if err == nil {
			err = connection.Close()
		}
		return err
	}
	return nil
}

func (p *prober) get(ctx context.Context, wanted *core.HTTPGetAction) error {
	scheme := "http"
	if wanted.Scheme == core.URISchemeHTTPS {
		scheme = "https"
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, scheme+"://"+p.at(wanted.Port)+wanted.Path, nil)
	if err != nil {
		return err
	}
	for _, each := range wanted.HTTPHeaders {
		request.Header.Set(each.Name, each.Value)
	}
	answer, err := unverified.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("HTTP probe failed with statuscode: %d", answer.StatusCode)
	}
	return nil
}

// at returns the host and port that a probe asks; a port can be named.
func (p *prober) at(port intstr.IntOrString) string {
	number := port.IntVal
	for _, each := range p.container.Ports {
		if port.Type == intstr.String && each.Name == port.StrVal {
			number = each.ContainerPort
		}
	}
	return net.JoinHostPort(p.address, strconv.Itoa(int(number)))
}
