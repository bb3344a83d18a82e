package main

import (
	"context"
	"strings"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// report writes the status of the pod if it differs from what was written last.
func (w *worker) report(ctx context.Context, pod *core.Pod) {
	status := w.status(pod)
	if w.reported != nil && equality.Semantic.DeepEqual(*w.reported, status) && same(pod.Status, status) {
		return
	}
	changed := pod.DeepCopy()
	changed.Status = merged(pod.Status, status)
	answer, err := w.node.client.CoreV1().Pods(pod.Namespace).UpdateStatus(ctx, changed, meta.UpdateOptions{})
	if err != nil {
		return // the next turn has a newer pod, or finds the server
	}
	w.reported = &status
	// The informer may still have the older one, whose status would be written again.
	w.latest.CompareAndSwap(pod, answer)
}

// status returns what a kubelet says of the pod; times of conditions are left to merged.
func (w *worker) status(pod *core.Pod) core.PodStatus {
	ready := core.ConditionTrue
	unready := []string{}
	phase := core.PodRunning
	statuses := []core.ContainerStatus{}
	for _, each := range w.containers {
		found := *each.state.Load()
		statuses = append(statuses, found)
		if !found.Ready {
			unready = append(unready, found.Name)
		}
		if found.State.Waiting != nil && found.State.Waiting.Reason == "ContainerCreating" {
			phase = core.PodPending
		}
	}
	reason, message := "", ""
	if len(unready) > 0 {
		ready, reason = core.ConditionFalse, "ContainersNotReady"
		message = "containers with unready status: [" + strings.Join(unready, " ") + "]"
	}
	started := pod.CreationTimestamp
	return core.PodStatus{
		Phase: phase, StartTime: &started, HostIP: w.node.hostOf(pod),
		PodIP: w.address.String(), PodIPs: []core.PodIP{{IP: w.address.String()}},
		ContainerStatuses: statuses,
		Conditions: []core.PodCondition{
			{Type: core.PodInitialized, Status: core.ConditionTrue},
			{Type: core.ContainersReady, Status: ready, Reason: reason, Message: message},
			{Type: core.PodReady, Status: ready, Reason: reason, Message: message},
		},
	}
}

// merged returns the status with the conditions of others kept, and the time of those that did not change.
func merged(before, after core.PodStatus) core.PodStatus {
	conditions := []core.PodCondition{}
	for _, each := range after.Conditions {
		each.LastTransitionTime = meta.Now()
		if known := conditionOf(before, each.Type); known != nil && known.Status == each.Status {
			each.LastTransitionTime = known.LastTransitionTime
		}
		conditions = append(conditions, each)
	}
	for _, each := range before.Conditions {
		if conditionOf(after, each.Type) == nil {
			conditions = append(conditions, each)
		}
	}
	after.Conditions = conditions
	after.QOSClass = before.QOSClass
	return after
}

// same tells whether what a cluster has of a pod is what a kubelet wrote; others write too.
func same(live, wrote core.PodStatus) bool {
	for _, each := range wrote.Conditions {
		if known := conditionOf(live, each.Type); known == nil || known.Status != each.Status {
			return false
		}
	}
	return live.Phase == wrote.Phase && live.PodIP == wrote.PodIP &&
		len(live.ContainerStatuses) == len(wrote.ContainerStatuses)
}

func conditionOf(status core.PodStatus, kind core.PodConditionType) *core.PodCondition {
	for at := range status.Conditions {
		if status.Conditions[at].Type == kind {
			return &status.Conditions[at]
		}
	}
	return nil
}

func (n *node) hostOf(pod *core.Pod) string {
	found, err := n.nodes.Get(pod.Spec.NodeName)
	if err != nil {
		return ""
	}
	for _, each := range found.Status.Addresses {
		if each.Type == core.NodeInternalIP {
			return each.Address
		}
	}
	return ""
}
