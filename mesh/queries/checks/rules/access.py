"""Checks of the way to a cluster: does it answer, is it the right one, may we, is somebody else at work."""

from __future__ import annotations

from mesh.model import Action, Plan
from mesh.queries.checks.facts import ClusterFacts, MeshFacts, read
from mesh.queries.checks.model import Finding, Findings, NotApplicable, Severity

SKEW_WARNING, SKEW_ERROR = 30.0, 120.0
"""Seconds; what istiod signs is valid from two minutes before, so a larger skew kills new certificates."""


def answers(scene: MeshFacts, facts: ClusterFacts) -> Findings:
    """P01."""
    del scene
    if facts.unreachable:
        yield Finding(f"it does not answer: {facts.unreachable}", {"why": facts.unreachable})


def pinned(scene: MeshFacts) -> Findings:
    """P02."""
    seen: dict[str, str] = {}
    for name, facts in scene.clusters.items():
        if facts.unreachable or not facts.uid:
            scene.miss(f"{name}: its kube-system could not be read")
            continue
        first = seen.setdefault(facts.uid, facts.name)
        if first != facts.name:
            yield Finding(f"{first} and {facts.name} are one cluster", {"uid": facts.uid})
        recorded = scene.state.clusters.get(facts.name)
        if recorded and recorded.uid not in ("", facts.uid):
            yield Finding(
                f"{facts.name} is not the cluster that is recorded",
                {"uid": facts.uid, "recorded": recorded.uid},
            )


def permitted(scene: MeshFacts, facts: ClusterFacts) -> Findings:
    """P04."""
    plan = read(scene.plan)
    if not any(step.key.cluster == facts.name and step.action is not Action.READ for step in plan.steps):
        raise NotApplicable("nothing is to be written there")
    for missing in read(facts.denied):
        yield Finding(f"may not {missing}", {"missing": missing})


def in_time(scene: MeshFacts, facts: ClusterFacts) -> Findings:
    """P05."""
    del scene
    skew = read(facts.skew)
    if abs(skew) > SKEW_WARNING:
        level = Severity.ERROR if abs(skew) > SKEW_ERROR else Severity.WARNING
        way = "ahead of" if skew > 0 else "behind"
        yield Finding(
            f"its clock is {abs(skew):.0f} s {way} that of this machine", {"seconds": skew}, severity=level
        )


def free(scene: MeshFacts, facts: ClusterFacts) -> Findings:
    """P06."""
    for lease in facts.rows("leases"):
        if lease["metadata"]["name"] == f"mesh-{scene.mesh.name}":
            holder = lease["spec"].get("holderIdentity", "")
            yield Finding(
                f"a run holds its lease (id {holder}): somebody is at work, or was killed at it",
                {"holder": holder, "renewed": lease["spec"].get("renewTime", "")},
            )
    theirs = scene.held.get(facts.name)
    if theirs and theirs.serial != scene.state.serial:
        yield Finding(
            f"its copy of the state is of serial {theirs.serial}, the record is at {scene.state.serial}",
            {"serial": theirs.serial, "record": scene.state.serial},
            fix="mesh state rebuild",
        )


def settled(scene: MeshFacts) -> Findings:
    """Q22."""
    plan: Plan = read(scene.plan)
    for step in plan.steps:
        if step.action is not Action.READ:
            what = step.action.name.lower()
            yield Finding(
                f"{step.key}: {step.reason.value} ({what})", {"address": str(step.key), "action": what}
            )
    for each in plan.deferred:
        yield Finding(f"{each.key}: {each.why}", {"address": str(each.key)}, severity=Severity.WARNING)


def no_strays(scene: MeshFacts, facts: ClusterFacts) -> Findings:
    """Q20."""
    for each in read(facts.stray):
        yield Finding(f"{each} carries the mark of this mesh and is not in the record", {"object": each})
    names = {cluster.cluster_name for cluster in scene.mesh.clusters}
    for obj in facts.rows("secrets"):
        labels = obj["metadata"].get("labels") or {}
        remote = (obj["metadata"].get("annotations") or {}).get("networking.istio.io/cluster", "")
        if labels.get("istio/multiCluster") == "true" and remote not in names:
            yield Finding(
                f"a remote secret for {remote or 'no cluster'}, which is not of this mesh",
                {"cluster": remote},
            )
