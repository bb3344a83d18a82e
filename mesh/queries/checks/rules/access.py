"""Checks of the access to a cluster: it answers, it is the right one, RBAC permits the run, no other run."""

from __future__ import annotations

from mesh.model import Action
from mesh.queries.checks.facts import ClusterFacts, MeshFacts, read, shown
from mesh.queries.checks.model import Finding, Findings, NotApplicable, Severity, Skip
from mesh.queries.checks.paste import pasted

SKEW_WARNING, SKEW_ERROR = 30.0, 120.0
"""Seconds. istiod dates certificates two minutes back: a clock that is further behind rejects them."""


def answers(scene: MeshFacts, facts: ClusterFacts) -> Findings:
    """P01: verify that the API server answers; all other checks of a cluster that does not are skipped."""
    del scene
    if facts.unreachable:
        yield Finding(f"the API server does not answer: {facts.unreachable}", {"why": facts.unreachable})


def pinned(scene: MeshFacts) -> Findings:
    """P02: verify that each context leads to a cluster of its own, and to the one in the state.

    The UID of the namespace kube-system identifies a cluster: context names and server addresses can
    come to mean another one.
    """
    seen: dict[str, str] = {}
    for name, facts in scene.clusters.items():
        if facts.unreachable or not facts.uid:
            scene.miss(f"{name}: namespace kube-system could not be read")
            continue
        first = seen.setdefault(facts.uid, facts.name)
        if first != facts.name:
            yield Finding(f"{first} and {facts.name} are the same cluster", {"uid": facts.uid})
        recorded = scene.state.clusters.get(facts.name)
        if recorded and recorded.uid not in ("", facts.uid):
            yield Finding(
                f"{facts.name} is not the cluster recorded in the state",
                {"uid": facts.uid, "recorded": recorded.uid},
            )


def permitted(scene: MeshFacts, facts: ClusterFacts) -> Findings:
    """P04: verify that RBAC permits every planned write.

    An apply without a right would stop half way, at the first write that is denied.
    """
    plan = read(scene.plan)
    if not any(step.key.cluster == facts.name and step.action is not Action.READ for step in plan.steps):
        raise NotApplicable("the plan writes nothing there")
    for missing in read(facts.denied):
        yield Finding(f"may not {missing}", {"missing": missing})
    for kind in facts.unknown_rights:
        yield Finding(
            f"kind {kind} does not say which rights it needs, so they were not checked",
            {"kind": kind},
            severity=Severity.WARNING,
        )


def in_time(scene: MeshFacts, facts: ClusterFacts) -> Findings:
    """P05: verify that the API server's clock agrees with the clock of this machine.

    Certificates are judged by the clock of the node that receives them; see `SKEW_ERROR`.
    """
    del scene
    skew = read(facts.skew)
    if abs(skew) > SKEW_WARNING:
        level = Severity.ERROR if abs(skew) > SKEW_ERROR else Severity.WARNING
        way = "ahead of" if skew > 0 else "behind"
        yield Finding(
            f"its clock is {abs(skew):.0f} s {way} the clock of this machine",
            {"seconds": skew},
            severity=level,
        )


def free(scene: MeshFacts, facts: ClusterFacts) -> Findings:
    """P06: verify that no other run holds the Lease, and that the cluster's copy of the state is as new.

    A copy with another serial means that another clone has applied since, or that a run was cut short.
    """
    for lease in facts.rows("leases"):
        if lease["metadata"]["name"] == f"mesh-{scene.mesh.name}":
            holder = lease["spec"].get("holderIdentity", "")
            yield Finding(
                f"Lease kube-system/mesh-{scene.mesh.name} is held by run {holder}: active, or killed",
                {"holder": holder, "renewed": lease["spec"].get("renewTime", "")},
            )
    held = scene.held.get(facts.name)
    if held and held.serial != scene.state.serial:
        yield Finding(
            f"the cluster's copy of the state has serial {held.serial}, the one here {scene.state.serial}",
            {"serial": held.serial, "state": scene.state.serial},
            fix="mesh state rebuild",
        )


def settled(scene: MeshFacts) -> Findings:
    """Q22: verify that the clusters match the mesh file, and that every resource works.

    What a plan would change, wait for, defer or refuse is reported in the plan's own words.
    """
    if not scene.states:
        raise Skip("the resources were not read")
    for state in scene.states.values():
        if not state.good:
            yield Finding(
                f"{state.key}: {state.text}",
                {"address": str(state.key), "state": state.word},
                state.key,
                Severity.WARNING,
            )


def no_strays(scene: MeshFacts, facts: ClusterFacts) -> Findings:
    """Q20: verify that the state knows every object labelled as this mesh's, and no remote secret is foreign.

    Labelled objects outside the state are left by a run that was cut short, or were copied by hand; a plan
    names those that it sees, and changes or deletes none.
    """
    for each in read(facts.stray):
        yield Finding(
            f"{each} is labelled as managed by this mesh, but is missing from the state", {"object": each}
        )
    names = {cluster.cluster_name for cluster in scene.mesh.clusters}
    for obj in facts.rows("secrets"):
        labels = obj["metadata"].get("labels") or {}
        remote = (obj["metadata"].get("annotations") or {}).get("networking.istio.io/cluster", "")
        if labels.get("istio/multiCluster") == "true" and remote not in names:
            yield Finding(
                f"remote secret {shown(obj)} is for {remote or 'no cluster'}, which is not part of this mesh",
                {"secret": shown(obj), "cluster": remote},
                fix=f"kubectl --context {{context}} -n {pasted(obj)[0]} delete secret {pasted(obj)[1]}",
            )
