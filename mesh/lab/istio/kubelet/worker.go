package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"log"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"

	"mesh.lab/istio/network"
)

const (
	// holdAnnotation is the annotation that keeps a pod from being ready, as for pods that kwok plays.
	holdAnnotation = "lab.meshform.io/hold"
	// turn is how often a worker looks at its processes and files when the pod does not change.
	turn = 250 * time.Millisecond
	// step is how often mounted files are compared with the cluster. A kubelet takes up to a minute.
	step = 2 * time.Second
)

// unverified is for probes: a kubelet does not verify certificates either.
var unverified = &http.Client{Transport: &http.Transport{
	TLSClientConfig:   &tls.Config{InsecureSkipVerify: true},
	DisableKeepAlives: true,
}}

// worker leads the life of one pod.
type worker struct {
	node       *node
	address    netip.Addr
	loopback   netip.Addr
	folder     string
	latest     atomic.Pointer[core.Pod]
	wake       chan struct{}
	gone       chan struct{}
	containers []*container
	reported   *core.PodStatus
}

func newWorker(n *node, pod *core.Pod, address netip.Addr) *worker {
	loopback, _ := network.Loopback(address)
	w := &worker{
		node: n, address: address, loopback: loopback,
		folder: filepath.Join(n.folder, "pods", pod.Namespace+"_"+pod.Name),
		wake:   make(chan struct{}, 1), gone: make(chan struct{}),
	}
	w.latest.Store(pod)
	for _, each := range pod.Spec.Containers {
		w.containers = append(w.containers, newContainer(w, pod, each))
	}
	return w
}

func (w *worker) pod() *core.Pod { return w.latest.Load() }

func (w *worker) update(pod *core.Pod) {
	w.latest.Store(pod)
	w.notify()
}

// notify ends the pause of the worker.
func (w *worker) notify() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// run works until the pod is gone or ctx is done; its processes have ended then.
func (w *worker) run(ctx context.Context) {
	if err := os.MkdirAll(w.folder, 0o700); err != nil {
		log.Printf("%s: %v", w.pod().Name, err)
	}
	for ctx.Err() == nil {
		pod := w.pod()
		if pod.DeletionTimestamp != nil || w.isGone() {
			break
		}
		_, held := pod.Annotations[holdAnnotation]
		for _, each := range w.containers {
			each.look(ctx, pod, held)
		}
		w.report(ctx, pod)
		pause(ctx, w.wake, turn)
	}
	w.end(ctx)
}

func (w *worker) isGone() bool {
	select {
	case <-w.gone:
		return true
	default:
		return false
	}
}

// end ends the processes in the time that the pod gives them, and then the pod, if it was deleted.
func (w *worker) end(ctx context.Context) {
	pod := w.pod()
	grace := 30 * time.Second
	if pod.DeletionGracePeriodSeconds != nil {
		grace = time.Duration(*pod.DeletionGracePeriodSeconds) * time.Second
	}
	if w.isGone() || ctx.Err() != nil {
		grace = 2 * time.Second
	}
	for _, each := range w.containers {
		each.stop(grace, "the pod ends")
	}
	if ctx.Err() != nil {
		return
	}
	for !w.isGone() && ctx.Err() == nil {
		now := int64(0)
		err := w.node.client.CoreV1().Pods(pod.Namespace).Delete(ctx, pod.Name, meta.DeleteOptions{
			GracePeriodSeconds: &now, Preconditions: &meta.Preconditions{UID: &pod.UID},
		})
		if err != nil {
			log.Printf("%s: %s: %v", w.node.name, pod.Name, err)
		}
		select {
		case <-w.gone:
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
	if err := os.RemoveAll(w.folder); err != nil {
		log.Printf("%s: %v", w.node.name, err)
	}
}

func (w *worker) say(format string, values ...any) {
	log.Printf("%s: %s: %s", w.node.name, w.pod().Name, fmt.Sprintf(format, values...))
}
