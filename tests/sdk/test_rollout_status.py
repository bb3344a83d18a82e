"""Why a workload is not ready, and which pod is the reason."""

from __future__ import annotations

from typing import Any

import pytest

from mesh.sdk.rollout_status import of_release, pod_trouble, why_not


def workload(kind: str, *, wanted: int | None = None, seen: int = 2, **status: Any) -> dict[str, Any]:
    spec = {} if wanted is None else {"replicas": wanted}
    return {
        "kind": kind,
        "metadata": {"name": "one", "generation": 2},
        "spec": spec,
        "status": {"observedGeneration": seen, **status},
    }


def pod(**status: Any) -> dict[str, Any]:
    return {"metadata": {"name": "p"}, "spec": {"nodeName": "n"}, "status": status}


READY = {"replicas": 2, "updatedReplicas": 2, "availableReplicas": 2}
ALL = {"desiredNumberScheduled": 2, "updatedNumberScheduled": 2, "numberReady": 2}


@pytest.mark.parametrize(
    ("obj", "why"),
    [
        (workload("Deployment", wanted=2, **READY), ""),
        (workload("Deployment", updatedReplicas=1, replicas=1, availableReplicas=1), ""),
        (
            workload("Deployment", seen=1, wanted=2, **READY),
            "Deployment one: its controller has not seen the last change yet",
        ),
        (workload("Deployment", wanted=0), "Deployment one: it is scaled to 0 replicas"),
        (workload("DaemonSet", **ALL), ""),
        (
            workload("DaemonSet", **{**ALL, "desiredNumberScheduled": 1}),
            "DaemonSet one: it is meant for 1 of 2 nodes",
        ),
        (
            workload("DaemonSet", **{**ALL, "updatedNumberScheduled": 1}),
            "DaemonSet one: 1 of 2 pods are of the new revision",
        ),
        (workload("DaemonSet", **{**ALL, "numberReady": 1}), "DaemonSet one: 1 of 2 pods are ready"),
    ],
)
def test_a_workload_is_ready_when_its_last_change_has_rolled_out(obj: dict[str, Any], why: str) -> None:
    assert why_not(obj, 2, lambda _workload: []) == why


def test_the_first_pod_with_a_trouble_is_named() -> None:
    pods = [
        pod(conditions=[{"type": "Ready", "status": "True"}]),
        pod(containerStatuses=[{"state": {"waiting": {"reason": "ImagePullBackOff", "message": "no such"}}}]),
    ]
    why = why_not(workload("DaemonSet", **{**ALL, "numberReady": 1}), 2, lambda _workload: pods)
    assert why == "DaemonSet one: 1 of 2 pods are ready; pod p on n: ImagePullBackOff: no such"


@pytest.mark.parametrize(
    ("status", "why"),
    [
        ({"conditions": [{"type": "Ready", "status": "True"}]}, ""),
        ({"initContainerStatuses": [{"state": {"terminated": {"reason": "Error"}}}]}, "pod p on n: Error"),
        (
            {"conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}]},
            "pod p on n: Unschedulable",
        ),
        ({"conditions": [{"type": "Ready", "status": "False"}]}, "pod p on n: Ready"),
        ({}, "pod p on n: Pending"),
    ],
)
def test_a_pod_says_in_its_own_words_why_it_is_not_ready(status: dict[str, Any], why: str) -> None:
    assert pod_trouble(pod(**status)) == why


def test_workloads_belong_to_the_release_of_their_annotations() -> None:
    def marked(name: str, release: str, namespace: str) -> dict[str, Any]:
        marks = {"meta.helm.sh/release-name": release, "meta.helm.sh/release-namespace": namespace}
        return {"metadata": {"name": name, "annotations": marks}}

    objects = [marked("a", "istiod", "x"), marked("b", "istiod", "y"), {"metadata": {"name": "c"}}]
    assert [each["metadata"]["name"] for each in of_release(objects, "istiod", "x")] == ["a"]
