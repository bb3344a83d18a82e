"""Checks of the network between clusters: load balancers, pod ranges, network policies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from ipaddress import ip_network
from itertools import combinations
from typing import Any

from mesh.queries.checks.facts import ClusterFacts, MeshFacts, labels, place, read, shown
from mesh.queries.checks.model import Finding, Findings, NotApplicable, Severity, Skip
from mesh.queries.checks.paste import word
from mesh.queries.checks.rules.apps import enrolled
from mesh.world import Object
from mesh.world.shapes import moment

PATIENCE = timedelta(minutes=5)
GATEWAY_NAME = "gateway.networking.k8s.io/gateway-name"
HBONE = 15008


def balanced(scene: MeshFacts, facts: ClusterFacts) -> Findings:
    """P25: verify that the east-west gateway has a load balancer, or can get one.

    A gateway without an address has no peers.
    """
    edge = facts.cluster.eastwest
    if edge.service != "LoadBalancer":
        raise NotApplicable("the east-west gateway uses node ports")
    if _has_balancer(facts):
        return
    for quota in facts.rows("quotas"):
        hard = quota["spec"].get("hard", {})
        most = str(hard.get("services.loadbalancers", hard.get("count/services.loadbalancers", "")))
        used = str(quota.get("status", {}).get("used", {}).get("services.loadbalancers", "0"))
        if place(quota)[0] == edge.namespace and most and int(used) >= int(most):
            yield Finding(
                f"ResourceQuota {shown(quota)} allows {most} load balancers, {used} are used",
                {"quota": shown(quota), "hard": most, "used": used},
            )
    for service in facts.rows("services"):
        if service["spec"].get("type") == "LoadBalancer" and _waits(service, scene.now):
            yield Finding(
                f"Service {shown(service)} has had no load balancer address for more than five minutes",
                {"service": shown(service), "since": service["metadata"]["creationTimestamp"]},
                severity=Severity.WARNING,
            )
    if said := read(facts.tried["load balancer"]):
        yield Finding(f"a dry run of a Service of type LoadBalancer is rejected: {said}", {"answer": said})


def _has_balancer(facts: ClusterFacts) -> bool:
    edge = facts.cluster.eastwest
    found = facts.named("services", edge.namespace, edge.name)
    return bool(found and found.get("status", {}).get("loadBalancer", {}).get("ingress"))


def _waits(service: Object, now: datetime) -> bool:
    made = moment(service["metadata"]["creationTimestamp"])
    return not service.get("status", {}).get("loadBalancer", {}).get("ingress") and now - made > PATIENCE


def apart(scene: MeshFacts) -> Findings:
    """P27: verify that clusters on the same network have separate pod ranges.

    In a flat network pods are reached by their own addresses, so these must be unique.
    """
    networks = {each.name: each.cluster.network for each in scene.clusters.values()}
    if len(set(networks.values())) == len(networks):
        raise NotApplicable("each cluster has its own network")
    ranges = scene.gather(_ranges)
    for one, other in combinations(sorted(ranges), 2):
        if networks[one] != networks[other]:
            continue
        clash = [(a, b) for a in ranges[one] for b in ranges[other] if _overlap(a, b)]
        if clash:
            yield Finding(
                f"{one} and {other} are on one network, but their pod ranges overlap: {clash[0][0]}",
                {"clusters": [one, other], "ranges": [list(each) for each in clash]},
            )


def _ranges(facts: ClusterFacts) -> list[str]:
    found = [node["spec"]["podCIDR"] for node in facts.rows("nodes") if node["spec"].get("podCIDR")]
    if not found:
        raise Skip("its nodes have no podCIDR")
    return found


def _overlap(one: str, other: str) -> bool:
    try:
        return ip_network(one).overlaps(ip_network(other))
    except (ValueError, TypeError):
        return False


def let_through(scene: MeshFacts, facts: ClusterFacts) -> Findings:
    """P28: verify that network policies let traffic in to the mesh's ports.

    Traffic reaches an enrolled pod on 15008 (HBONE), whatever port the client used. Only the port is
    judged, not who may use it.
    """
    policies = facts.rows("policies")
    edge = facts.cluster.eastwest
    edge_ports = (HBONE, 15021) if scene.mesh.distribution == "upstream" else (HBONE, 15012, 15021)
    for namespace, pod, ports in (
        (facts.namespace, {"app": "istiod"}, (15012, 15017)),
        (edge.namespace, {GATEWAY_NAME: edge.name}, edge_ports),
    ):
        there = [labels(each) for each in facts.rows("pods") if pod.items() <= labels(each).items()] or [pod]
        yield from _blocked(policies, namespace, there[0], ports, None)
    for namespace in sorted(enrolled(facts)):
        yield from _blocked(policies, namespace, None, (HBONE,), Severity.WARNING)


def _blocked(
    policies: tuple[Object, ...],
    namespace: str,
    pod: Mapping[str, str] | None,
    ports: tuple[int, ...],
    severity: Severity | None,
) -> Iterator[Finding]:
    """Ports that are closed for a pod that policies isolate; `pod` None: for any pod of the namespace.

    NetworkPolicies are additive: a port of a pod is closed only if no policy that selects the pod allows it.
    """
    here = [each for each in policies if place(each)[0] == namespace and _isolates(each)]
    mine = [each for each in here if pod is None or _selects(each, pod)]
    for port in ports:
        closed = [each for each in mine if not _allows(each, port)]
        if closed and (pod is None or len(closed) == len(mine)):
            names = sorted(place(each)[1] for each in closed)
            yield Finding(
                f"NetworkPolicy {', '.join(names)} in {namespace} blocks port {port}",
                {"namespace": namespace, "policies": names, "port": port},
                severity=severity,
                fix=f"kubectl --context {{context}} -n {word(namespace)} edit networkpolicy {word(names[0])}",
            )


def _isolates(policy: Object) -> bool:
    return "Ingress" in policy["spec"].get("policyTypes", ["Ingress"])


def _selects(policy: Object, pod: Mapping[str, str]) -> bool:
    """Whether a policy selects a pod; matchExpressions are not evaluated, and count as selecting it."""
    wanted: Mapping[str, str] = policy["spec"].get("podSelector", {}).get("matchLabels", {})
    return wanted.items() <= dict(pod).items()


def _allows(policy: Object, port: int) -> bool:
    return any(
        not rule.get("ports") or any(_is(each, port) for each in rule["ports"])
        for rule in policy["spec"].get("ingress") or []
    )


def _is(entry: Mapping[str, Any], port: int) -> bool:
    """Whether an entry allows a port; a named port counts as allowed, since only the pod knows its number."""
    first = entry.get("port", port)
    return isinstance(first, str) or first <= port <= entry.get("endPort", first)
