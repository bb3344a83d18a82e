"""Checks of running workloads: istiod, the agents on every node, the pods of the gateways."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from mesh.istio.addresses import chart_key
from mesh.model.spec import Component
from mesh.queries.checks.facts import ClusterFacts, MeshFacts, daemon, images, istiod, labels, place, shown
from mesh.queries.checks.model import Finding, Findings, NotApplicable, Severity
from mesh.sdk.rollout_status import pod_trouble, why_not
from mesh.world import Object
from mesh.world.shapes import moment

MINUTE = timedelta(seconds=60)


def control_plane(scene: MeshFacts, facts: ClusterFacts) -> Findings:
    """Q01: verify that istiod is available in its last generation, and has not restarted within a minute.

    A Deployment counts as rolled out as soon as its pods were ready once; a crash loop shows in restarts.
    """
    deployment = istiod(facts)
    pods = _pods(facts, "mesh pods", "app", "istiod")
    if why := why_not(deployment, 0, lambda _obj: pods):
        yield Finding(why, {"deployment": shown(deployment), "why": why}, chart_key(facts.name, "istiod"))
    for pod in pods:
        yield from _restarted(scene.now, pod)


def _restarted(now: datetime, pod: Object) -> Iterator[Finding]:
    for container in pod.get("status", {}).get("containerStatuses", []):
        ended = container.get("lastState", {}).get("terminated", {})
        if ended.get("finishedAt") and now - moment(ended["finishedAt"]) < MINUTE:
            yield Finding(
                f"pod {shown(pod)} restarted less than a minute ago: {ended.get('reason', 'unknown reason')}",
                {"pod": shown(pod), "finishedAt": ended["finishedAt"], "restarts": container["restartCount"]},
            )


def _pods(facts: ClusterFacts, what: str, label: str, value: str) -> list[Object]:
    return [
        pod
        for pod in facts.rows(what)
        if labels(pod).get(label) == value and not pod["metadata"].get("deletionTimestamp")
    ]


def on_every_node(scene: MeshFacts, facts: ClusterFacts) -> Findings:
    """Q02: verify that ztunnel and the CNI agent are ready on every node, each with one image.

    Pods on a node without ztunnel have no mesh; different versions on the nodes break DNS or all traffic.
    """
    del scene
    nodes = len(facts.rows("nodes"))
    for component, pods in (
        ("cni", _pods(facts, "cni pods", "k8s-app", "istio-cni-node")),
        ("ztunnel", _pods(facts, "mesh pods", "app", "ztunnel")),
    ):
        yield from _daemon(facts, component, nodes, pods)  # type: ignore[arg-type]  # both are components


def _daemon(facts: ClusterFacts, component: Component, nodes: int, pods: list[Object]) -> Iterator[Finding]:
    about = chart_key(facts.name, component)
    found = daemon(facts, component)
    if why := why_not(found, nodes, lambda _obj: pods):
        yield Finding(why, {"daemonset": shown(found), "why": why}, about)
    running = sorted({image for pod in pods for image in images(pod)[:1]})
    if len(running) > 1:
        yield Finding(
            f"{component} runs several images: {', '.join(running)}",
            {"images": running},
            about,
            Severity.WARNING,
        )


def pods_ready(scene: MeshFacts, facts: ClusterFacts) -> Findings:
    """M03: verify that the pods of istiod, ztunnel and the east-west gateway exist and are ready.

    Unlike Q01 and Q02 it reads the pods, so it reports the reason of each (an image pull, a crash).
    """
    del scene
    groups = {
        "istiod": _pods(facts, "mesh pods", "app", "istiod"),
        "ztunnel": _pods(facts, "mesh pods", "app", "ztunnel"),
        "east-west gateway": _pods(
            facts, "gateway pods", "gateway.networking.k8s.io/gateway-name", facts.cluster.eastwest.name
        ),
    }
    if not any(groups.values()):
        raise NotApplicable("nothing runs yet")
    for what, pods in groups.items():
        if not pods:
            yield Finding(f"no {what} pod exists", {"component": what})
        for pod in pods:
            if trouble := pod_trouble(pod):
                yield Finding(trouble, {"pod": shown(pod), "namespace": place(pod)[0], "component": what})
