package main

import (
	"context"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
)

// redirected is the annotation by which Istio's CNI agent says that the traffic of a pod goes through ztunnel.
const redirected = "ambient.istio.io/redirection"

const redirection = `{"metadata":{"annotations":{"` + redirected + `":"enabled"}}}`

// fromZtunnel are the names in the environment of a ztunnel by which it knows its mesh.
var fromZtunnel = []string{"CA_ADDRESS", "ISTIO_META_CLUSTER_ID", "NETWORK"}

// ztunnelOf returns the ready ztunnel on the node of a pod, nil if there is none: the one that served it before, else
// the newest. During an upgrade a node has two for a moment.
func (n *node) ztunnelOf(pod *core.Pod, before types.UID) *core.Pod {
	var newest *core.Pod
	found, err := n.pods.List(labels.Set{"app": "ztunnel"}.AsSelector())
	if err != nil {
		return nil
	}
	for _, each := range found {
		ready := conditionOf(each.Status, core.PodReady)
		isReady := ready != nil && ready.Status == core.ConditionTrue
		if each.Spec.NodeName != pod.Spec.NodeName || !isReady || each.DeletionTimestamp != nil {
			continue
		}
		if each.UID == before {
			return each
		}
		if newest == nil || newest.CreationTimestamp.Before(&each.CreationTimestamp) {
			newest = each
		}
	}
	return newest
}

// environmentOf returns what a ztunnel knows of its mesh.
func environmentOf(ztunnel *core.Pod) map[string]string {
	env := map[string]string{}
	for _, container := range ztunnel.Spec.Containers {
		for _, each := range container.Env {
			for _, name := range fromZtunnel {
				if each.Name == name {
					env[name] = each.Value
				}
			}
		}
	}
	return env
}

// redirect says what the CNI agent of a node says of a pod that is served.
func (w *worker) redirect(ctx context.Context, pod *core.Pod) {
	if pod.Annotations[redirected] != "" {
		return
	}
	pods := w.node.client.CoreV1().Pods(pod.Namespace)
	if _, err := pods.Patch(ctx, pod.Name, types.MergePatchType, []byte(redirection), meta.PatchOptions{}); err != nil {
		w.say("it is not annotated: %v", err)
	}
}
