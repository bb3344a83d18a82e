"""Checks of the root of trust and of the intermediates that istiod signs with."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from mesh.model import Key
from mesh.queries.checks.facts import ClusterFacts, MeshFacts, installed, read
from mesh.queries.checks.model import Finding, Findings, NotApplicable, Severity

if TYPE_CHECKING:
    from mesh.world.pki import CertInfo, Inspection

SOON, VERY_SOON = timedelta(days=60), timedelta(days=14)
LEAF = timedelta(hours=24)
"""How long a workload's certificate lasts: no CA may end before those that it has just signed."""

CACERTS, SELF_SIGNED = "cacerts", "istio-ca-secret"


def _authority(facts: ClusterFacts) -> Inspection:
    found: Inspection | None = read(facts.authority)
    if found is None:
        raise NotApplicable("there is no Secret cacerts yet")
    return found


def usable(scene: MeshFacts, facts: ClusterFacts) -> Findings:
    """P17."""
    del scene
    about = facts.key("cert", CACERTS)
    found: Inspection | None = read(facts.authority)
    for problem in found.problems if found else ():
        yield Finding(f"cacerts: {problem}", {"problem": problem}, about)
    if found is None:
        if not installed(facts):
            raise NotApplicable("there is no Secret cacerts yet, nor an istiod")
        self_signed = facts.named("secrets", facts.namespace, SELF_SIGNED) is not None
        yield Finding(
            "there is no Secret cacerts: istiod signs with a root of its own, which no peer believes",
            {"self-signed": self_signed},
            about,
        )


def one_root(scene: MeshFacts) -> Findings:
    """P18."""
    shown = {
        name: frozenset(each.fingerprint for each in found.roots)
        for name, found in scene.gather(_authority_or_none).items()
        if found and found.roots
    }
    if len(shown) < 2:
        raise NotApplicable("fewer than two clusters show a root of trust")
    if len(set(shown.values())) > 1:
        each = "; ".join(f"{name}: {', '.join(sorted(roots))}" for name, roots in sorted(shown.items()))
        shared = frozenset.intersection(*shown.values())
        yield Finding(
            f"the clusters do not have the same roots of trust ({each})",
            {name: sorted(roots) for name, roots in shown.items()},
            next((key for key in (Key("cert", name, CACERTS) for name in shown) if scene.changes(key)), None),
            severity=Severity.WARNING if shared else Severity.ERROR,
        )


def _authority_or_none(facts: ClusterFacts) -> Inspection | None:
    found: Inspection | None = read(facts.authority)
    return found


def own_intermediate(scene: MeshFacts) -> Findings:
    """P19."""
    users: dict[str, list[str]] = {}
    for name, found in scene.gather(_authority_or_none).items():
        if found and found.certificate:
            users.setdefault(found.certificate.fingerprint, []).append(name)
    if not users:
        raise NotApplicable("no cluster has an intermediate yet")
    for fingerprint, names in users.items():
        if len(names) > 1:
            yield Finding(
                f"{' and '.join(names)} sign with one and the same intermediate",
                {"clusters": names, "fingerprint": fingerprint},
            )


def lasting(scene: MeshFacts, facts: ClusterFacts) -> Findings:
    """P20."""
    found = _authority(facts)
    if found.certificate:
        yield from _ending(scene, facts, found.certificate, "its intermediate")
    if found.root:
        yield from _ending(scene, facts, found.root, "the root of trust")


def _ending(scene: MeshFacts, facts: ClusterFacts, cert: CertInfo, what: str) -> Iterator[Finding]:
    """Short-lived certificates are judged by a share of their life, the others by days."""
    life, left = cert.not_after - cert.not_before, cert.not_after - scene.now
    error = max(min(VERY_SOON, life / 12), 2 * LEAF)
    if left < max(min(SOON, life / 3), error):
        yield Finding(
            f"{what} expires on {cert.not_after:%Y-%m-%d %H:%M} UTC, in {max(left.days, 0)} days",
            {"notAfter": cert.not_after.isoformat(), "daysLeft": left.days, "fingerprint": cert.fingerprint},
            facts.key("cert", CACERTS) if what != "the root of trust" else None,
            Severity.ERROR if left < error else Severity.WARNING,
        )


def published(scene: MeshFacts, facts: ClusterFacts) -> Findings:
    """Q04."""
    del scene
    found = _authority(facts)
    roots = frozenset(each.fingerprint for each in found.roots)
    there = read(facts.published)
    for obj in facts.rows("namespaces"):
        name = obj["metadata"]["name"]
        if obj.get("status", {}).get("phase") == "Terminating":
            continue
        if name not in there:
            yield Finding(f"namespace {name} has no istio-ca-root-cert", {"namespace": name})
        elif there[name] != roots:
            yield Finding(
                f"istio-ca-root-cert in namespace {name} is not the root of trust of cacerts",
                {"namespace": name, "published": sorted(there[name]), "cacerts": sorted(roots)},
            )


def compatible(scene: MeshFacts) -> Findings:
    """M07."""
    found = {name: each for name, each in scene.gather(_authority_or_none).items() if each and each.root}
    if len(found) < 2:
        raise NotApplicable("fewer than two clusters have an intermediate")
    for name, own in sorted(found.items()):
        for other, theirs in sorted(found.items()):
            trusted = {each.fingerprint for each in own.roots}
            if name != other and theirs.root and theirs.root.fingerprint not in trusted:
                yield Finding(
                    f"{name} does not believe what {other} signs",
                    {"cluster": name, "peer": other, "root": theirs.root.fingerprint},
                )
