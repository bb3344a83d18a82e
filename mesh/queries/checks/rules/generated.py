"""Checks of what istiod generates by itself: claimed by nobody, and not outlived by what it stands for."""

from __future__ import annotations

from mesh.queries.checks.facts import ClusterFacts, MeshFacts, labels, place, shown
from mesh.queries.checks.model import Finding, Findings, NotApplicable, Skip
from mesh.queries.checks.read.second import FLAT
from mesh.sdk.managed_fields import MESH_LABEL
from mesh.world import Object


def untouched(scene: MeshFacts, facts: ClusterFacts) -> Findings:
    """S13."""
    made = [obj for obj in facts.rows("workload entries") if place(obj)[1].startswith("autogen")]
    if not made:
        raise NotApplicable("istiod has made no WorkloadEntry")
    for obj in made:
        if MESH_LABEL in labels(obj):
            yield Finding(
                f"{shown(obj)} is made by istiod and carries the label of a mesh",
                {"object": shown(obj), "mesh": labels(obj)[MESH_LABEL]},
                fix=f"kubectl --context {{context}} -n {place(obj)[0]} label workloadentry"
                f" {place(obj)[1]} {MESH_LABEL}-",
            )
    del scene


def no_stale_workloads(scene: MeshFacts) -> Findings:
    """M06."""
    entries = scene.gather(lambda facts: [obj for obj in facts.rows("workload entries") if _is_flat(obj)])
    if not any(entries.values()):
        raise NotApplicable("no two clusters share a flat network")
    known = scene.gather(lambda facts: {_ip(pod) for pod in facts.rows("addresses")})
    if scene.missed:
        raise Skip("; ".join(scene.missed))  # a pod may be in the cluster that was not read
    everywhere = set().union(*known.values())
    for name, found in entries.items():
        for obj in found:
            address = obj.get("spec", {}).get("address", "")
            if address not in everywhere:
                yield Finding(
                    f"{name}: {shown(obj)} stands for a pod at {address} that is nowhere",
                    {"cluster": name, "entry": shown(obj), "address": address},
                )


def _is_flat(obj: Object) -> bool:
    return place(obj)[1].startswith(FLAT)


def _ip(pod: Object) -> str:
    return str(pod.get("status", {}).get("podIP", ""))
