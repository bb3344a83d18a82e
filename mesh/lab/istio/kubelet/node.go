package main

import (
	"context"
	"log"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"time"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	corelisters "k8s.io/client-go/listers/core/v1"
	discoverylisters "k8s.io/client-go/listers/discovery/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
)

// node is the kubelet of all nodes of one cluster.
type node struct {
	name     string
	folder   string
	programs string
	client   kubernetes.Interface
	config   *rest.Config
	pods     corelisters.PodLister
	services corelisters.ServiceLister
	nodes    corelisters.NodeLister
	slices   discoverylisters.EndpointSliceLister

	mutex   sync.Mutex
	workers map[types.UID]*worker
	given   map[netip.Addr]types.UID
	prefix  netip.Prefix
}

func newNode(
	name, folder, programs string, prefix netip.Prefix, client kubernetes.Interface, config *rest.Config,
) *node {
	return &node{
		name: name, folder: folder, programs: programs, prefix: prefix, client: client, config: config,
		workers: map[types.UID]*worker{}, given: map[netip.Addr]types.UID{},
	}
}

// run works until ctx is done and all processes have ended.
func (n *node) run(ctx context.Context) {
	// What an earlier kubelet left: its processes ended with it.
	if err := os.RemoveAll(filepath.Join(n.folder, "pods")); err != nil {
		log.Fatalf("%s: %v", n.name, err)
	}
	factory := informers.NewSharedInformerFactory(n.client, 0)
	pods := factory.Core().V1().Pods()
	n.pods = pods.Lister()
	n.services = factory.Core().V1().Services().Lister()
	n.nodes = factory.Core().V1().Nodes().Lister()
	n.slices = factory.Discovery().V1().EndpointSlices().Lister()
	var working sync.WaitGroup
	see := func(value any) {
		if pod, ok := value.(*core.Pod); ok {
			n.see(ctx, &working, pod)
		}
	}
	_, err := pods.Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    see,
		UpdateFunc: func(_, value any) { see(value) },
		DeleteFunc: func(value any) {
			if left, ok := value.(cache.DeletedFinalStateUnknown); ok {
				value = left.Obj
			}
			if pod, ok := value.(*core.Pod); ok {
				n.forget(pod.UID)
			}
		},
	})
	if err != nil {
		log.Fatalf("%s: %v", n.name, err)
	}
	if err := n.reserve(ctx); err != nil {
		log.Fatalf("%s: %v", n.name, err)
	}
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	go n.serveEgress(ctx)
	go n.forwardServices(ctx)
	log.Printf("%s: running pods", n.name)
	<-ctx.Done()
	working.Wait()
}

// see tells the worker of a pod what the pod is now; a scheduled pod with a program gets a worker.
func (n *node) see(ctx context.Context, working *sync.WaitGroup, pod *core.Pod) {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	known := n.workers[pod.UID]
	if known == nil && pod.Spec.NodeName != "" && hasProgram(pod) && !isOver(pod) {
		known = newWorker(n, pod, n.allocate(pod))
		n.workers[pod.UID] = known
		working.Go(func() { known.run(ctx) })
	}
	if known != nil {
		known.update(pod)
	}
}

func (n *node) forget(uid types.UID) {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	if known := n.workers[uid]; known != nil {
		close(known.gone)
		delete(n.workers, uid)
		delete(n.given, known.address)
	}
}

// reserve notes which pods have an address already, before any other can get it.
func (n *node) reserve(ctx context.Context) error {
	pods, err := n.client.CoreV1().Pods("").List(ctx, meta.ListOptions{})
	if err != nil {
		return err
	}
	for _, each := range pods.Items {
		if had, err := netip.ParseAddr(each.Status.PodIP); err == nil && n.prefix.Contains(had) && hasProgram(&each) {
			n.given[had] = each.UID
		}
	}
	return nil
}

// allocate returns the address that a pod has, or the next free one.
func (n *node) allocate(pod *core.Pod) netip.Addr {
	if had, err := netip.ParseAddr(pod.Status.PodIP); err == nil && n.given[had] == pod.UID {
		return had
	}
	for each := n.prefix.Addr().Next(); n.prefix.Contains(each); each = each.Next() {
		if _, taken := n.given[each]; !taken {
			n.given[each] = pod.UID
			return each
		}
	}
	log.Fatalf("%s: no address is left in %s", n.name, n.prefix)
	return netip.Addr{}
}

// workerAt returns the worker of the pod with an address, nil if there is none.
func (n *node) workerAt(address netip.Addr) *worker {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	return n.workers[n.given[address]]
}

// workerOf returns the worker of a pod, nil if there is none.
func (n *node) workerOf(namespace, name string) *worker {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	for _, each := range n.workers {
		if pod := each.pod(); pod.Namespace == namespace && pod.Name == name {
			return each
		}
	}
	return nil
}

func isOver(pod *core.Pod) bool {
	return pod.Status.Phase == core.PodSucceeded || pod.Status.Phase == core.PodFailed
}

// pause waits, less if ctx ends or wake is told something.
func pause(ctx context.Context, wake <-chan struct{}, length time.Duration) {
	timer := time.NewTimer(length)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-wake:
	case <-timer.C:
	}
}
