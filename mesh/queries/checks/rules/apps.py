"""Checks of the workloads that use the mesh: enrolment, shared Services, the effect of a restart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mesh.istio.addresses import chart_key
from mesh.istio.solo import REMOTE_CLASS
from mesh.model import Action, Plan
from mesh.queries.checks.facts import ClusterFacts, MeshFacts, annotated, labels, of_class, place, read, shown
from mesh.queries.checks.model import Finding, Findings, NotApplicable, Severity
from mesh.queries.checks.paste import pasted, word
from mesh.world import Object

MODE, AMBIENT = "istio.io/dataplane-mode", "ambient"
SCOPE, SHARED = "solo.io/service-scope", frozenset({"global", "global-only", "segment"})
UPSTREAM_SCOPE = "istio.io/global"
WAYPOINT_CLASS, WAYPOINT = "istio-waypoint", "istio.io/use-waypoint"
CAPTURED = "ambient.istio.io/redirection"
MANY = 10_000
"""Workloads in the whole mesh: at some 300 bytes each, their first list comes near gRPC's limit of 4 MiB."""


def enrolled(facts: ClusterFacts) -> set[str]:
    """The enrolled namespaces."""
    return {place(obj)[1] for obj in facts.rows("namespaces") if labels(obj).get(MODE) == AMBIENT}


def captured_pods(facts: ClusterFacts) -> list[Object]:
    """The enrolled pods: by their own label, else by their namespace's."""
    spaces, hosts = enrolled(facts), {place(obj) for obj in facts.rows("host pods")}
    return [
        pod
        for pod in facts.rows("pods")
        if labels(pod).get(MODE, AMBIENT if place(pod)[0] in spaces else "none") == AMBIENT
        and place(pod) not in hosts
        and not pod["metadata"].get("deletionTimestamp")
    ]


def enrolment(scene: MeshFacts, facts: ClusterFacts) -> Findings:
    """P29: verify that each namespace uses one data plane mode, and that enrolled pods can be captured.

    ztunnel and a sidecar in one pod both redirect its traffic. Pods of namespaces that the CNI agent
    excludes, and pods on the host network, stay outside the mesh without a message.
    """
    del scene
    spaces = enrolled(facts)
    excluded = set(dict(facts.cluster.charts["cni"].values).get("excludeNamespaces", ()))
    excluded |= {facts.namespace, "kube-system"}
    for obj in facts.rows("namespaces"):
        name, mode = place(obj)[1], labels(obj).get(MODE, "none")
        if mode not in {AMBIENT, "none"}:
            yield _wrong(
                name, f"has {MODE}={mode}, which is neither ambient nor none", mode, Severity.WARNING
            )
        if name in spaces and (
            labels(obj).get("istio-injection") == "enabled" or "istio.io/rev" in labels(obj)
        ):
            yield _wrong(
                name,
                "is enrolled in ambient mode, and has sidecar injection enabled as well",
                mode,
                Severity.ERROR,
            )
        if name in spaces & excluded:
            yield _wrong(
                name, "is enrolled in ambient mode, but the CNI agent excludes it", mode, Severity.WARNING
            )
    for pod in facts.rows("host pods"):
        if place(pod)[0] in spaces:
            yield Finding(
                f"pod {shown(pod)} uses the host network: it stays outside the mesh",
                {"pod": shown(pod)},
                severity=Severity.INFO,
                fix=f"kubectl --context {{context}} -n {pasted(pod)[0]} get pod {pasted(pod)[1]} -o yaml",
            )


def _wrong(name: str, why: str, mode: str, severity: Severity) -> Finding:
    return Finding(f"namespace {name} {why}", {"namespace": name, "mode": mode}, severity=severity)


def restart(scene: MeshFacts, facts: ClusterFacts) -> Findings:
    """P30: verify that a planned restart of ztunnel interrupts no workload that has a single replica.

    A ztunnel that is replaced closes the long-lived connections of its node after its grace period, and
    PodDisruptionBudgets do not apply: no application pod is evicted.
    """
    plan: Plan = read(scene.plan)
    key = chart_key(facts.name, "ztunnel")
    if not any(step.key == key and step.action in {Action.UPDATE, Action.REPLACE} for step in plan.steps):
        raise NotApplicable("the plan does not restart ztunnel")
    spaces = enrolled(facts)
    for obj in facts.rows("deployments"):
        if place(obj)[0] in spaces and obj["spec"].get("replicas", 1) == 1:
            yield Finding(
                f"Deployment {shown(obj)} has one replica: its connections break when ztunnel restarts",
                {"deployment": shown(obj), "replicas": 1},
            )
    for obj in facts.rows("disruption"):
        if place(obj)[0] in spaces and obj.get("status", {}).get("disruptionsAllowed", 1) == 0:
            yield Finding(
                f"PodDisruptionBudget {shown(obj)} allows no disruption, but a ztunnel restart ignores it",
                {"budget": shown(obj), "disruptionsAllowed": 0},
            )


def _scope(obj: Object, spaces: Mapping[str, Object]) -> str:
    own = labels(obj).get(SCOPE) or labels(spaces.get(place(obj)[0], {"metadata": {}})).get(SCOPE, "")
    return "global" if labels(obj).get(UPSTREAM_SCOPE) == "true" else own


def shared(facts: ClusterFacts) -> dict[str, Object]:
    """The Services that other clusters may call, by `namespace/name`."""
    spaces = {place(obj)[1]: obj for obj in facts.rows("namespaces")}
    return {shown(obj): obj for obj in facts.rows("services") if _scope(obj, spaces) in SHARED}


def alike(scene: MeshFacts) -> Findings:
    """P31: verify that a shared Service has the same scope, ports and waypoint in all clusters that have it.

    A Service of the same name and namespace is one Service across the mesh (namespace sameness).
    """
    by_cluster: dict[str, dict[str, Object]] = scene.gather(shared)
    everything = scene.gather(lambda facts: {shown(obj): obj for obj in facts.rows("services")})
    names = sorted({name for found in by_cluster.values() for name in found})
    if not names:
        raise NotApplicable("no Service is shared")
    for name in names:
        here = {cluster: objects[name] for cluster, objects in everything.items() if name in objects}
        local = sorted(cluster for cluster in here if name not in by_cluster.get(cluster, {name}))
        if local:
            yield Finding(
                f"Service {name} is shared, but not in {', '.join(local)}",
                {"service": name, "not shared in": local},
                fix=_share(scene, local[0], name),
            )
        if len({_ports(obj) for obj in here.values()}) > 1:
            ports = {cluster: list(_ports(obj)) for cluster, obj in sorted(here.items())}
            yield Finding(
                f"Service {name} does not have the same ports in all clusters",
                {"service": name, **ports},
                fix=f"give Service {name} the same ports and port names in {', '.join(ports)}",
            )
    yield from _waypoints(scene, names)


def _share(scene: MeshFacts, cluster: str, name: str) -> str:
    """The command that shares a Service in one more cluster."""
    namespace, _, service = name.partition("/")
    label = f"{UPSTREAM_SCOPE}=true" if scene.mesh.distribution == "upstream" else f"{SCOPE}=global"
    context = scene.clusters[cluster].cluster.context
    return f"kubectl --context {word(context)} -n {word(namespace)} label service {word(service)} {label}"


def _ports(service: Object) -> tuple[str, ...]:
    return tuple(
        sorted(f"{each.get('name', '')}:{each['port']}" for each in service["spec"].get("ports", []))
    )


def _waypoints(scene: MeshFacts, names: list[str]) -> Iterator[Finding]:
    """Waypoints of shared Services that a cluster lacks; traffic can enter the mesh in any cluster."""
    found = scene.gather(lambda facts: {shown(obj) for obj in of_class(facts, WAYPOINT_CLASS)})
    for cluster, services in scene.gather(shared).items():
        for name, obj in services.items():
            waypoint = labels(obj).get(WAYPOINT, "")
            if not waypoint or waypoint == "none" or name not in names:
                continue
            wanted = f"{labels(obj).get(f'{WAYPOINT}-namespace', place(obj)[0])}/{waypoint}"
            lacking = sorted(each for each, there in found.items() if wanted not in there)
            if lacking and len(lacking) < len(found):
                yield Finding(
                    f"{cluster}: Service {name} uses waypoint {wanted}, missing in {', '.join(lacking)}",
                    {"service": name, "waypoint": wanted, "missing in": lacking},
                    fix=f"create waypoint {wanted} in {', '.join(lacking)}",
                )


def scale(scene: MeshFacts) -> Findings:
    """P32: verify that the first workload list of a ztunnel stays below gRPC's limit; see `MANY`."""
    counts = scene.gather(lambda facts: len(captured_pods(facts)))
    if sum(counts.values()) > MANY:
        yield Finding(
            f"{sum(counts.values())} workloads are in the mesh: the first list sent to ztunnel nears 4 MiB",
            {"workloads": counts, "limit": MANY},
        )


def captured(scene: MeshFacts, facts: ClusterFacts) -> Findings:
    """Q19: verify that the CNI agent redirects the traffic of every enrolled pod to ztunnel.

    A pod that started before the CNI agent, or on a node where it failed, sends plaintext without a message.
    """
    del scene
    pods = captured_pods(facts)
    if not pods:
        raise NotApplicable("no pod is enrolled")
    for pod in pods:
        if annotated(pod).get(CAPTURED) != "enabled":
            yield Finding(
                f"pod {shown(pod)} is enrolled, but its traffic is not redirected to ztunnel",
                {"pod": shown(pod), CAPTURED: annotated(pod).get(CAPTURED, "")},
                fix=f"kubectl --context {{context}} -n {pasted(pod)[0]} delete pod {pasted(pod)[1]}",
            )


def led_somewhere(scene: MeshFacts, facts: ClusterFacts) -> Findings:
    """S14: verify that a cluster that shares Services has peers.

    Without a peer the hosts under mesh.internal have no endpoints in other clusters.
    """
    del scene
    services = shared(facts)
    if not services:
        raise NotApplicable("no Service is shared")
    if not of_class(facts, REMOTE_CLASS):
        yield Finding(
            f"{len(services)} Services are shared, but the cluster has no peers",
            {"services": sorted(services)},
        )
