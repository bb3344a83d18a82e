"""Checks of the root of trust and of the intermediate certificates that istiod signs with."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from mesh.istio.addresses import cacerts_key
from mesh.istio.discovery import is_published
from mesh.queries.checks.facts import ClusterFacts, MeshFacts, installed, labels, mesh_config, read
from mesh.queries.checks.model import Finding, Findings, NotApplicable, Severity
from mesh.queries.checks.paste import word

if TYPE_CHECKING:
    from mesh.world.pki import CertInfo, Inspection

SOON, VERY_SOON = timedelta(days=60), timedelta(days=14)
LEAF = timedelta(hours=24)
"""The lifetime of a workload's certificate: a CA must outlive the certificates that it has just signed."""

CACERTS, SELF_SIGNED = "cacerts", "istio-ca-secret"


def _authority(facts: ClusterFacts) -> Inspection:
    found: Inspection | None = read(facts.authority)
    if found is None:
        raise NotApplicable("Secret cacerts does not exist yet")
    return found


def usable(scene: MeshFacts, facts: ClusterFacts) -> Findings:
    """P17: verify that istiod can sign with the Secret cacerts.

    istiod does not start with half a CA; without cacerts it signs with a root that no other cluster trusts.
    """
    del scene
    about = cacerts_key(facts.name)
    found: Inspection | None = read(facts.authority)
    for problem in found.problems if found else ():
        yield Finding(f"cacerts: {problem}", {"problem": problem}, about)
    if found is None:
        if not installed(facts):
            raise NotApplicable("neither Secret cacerts nor istiod exists yet")
        self_signed = facts.named("secrets", facts.namespace, SELF_SIGNED) is not None
        yield Finding(
            "Secret cacerts is missing: istiod signs with a self-signed root, which no peer trusts",
            {"self-signed": self_signed},
            about,
        )


def one_root(scene: MeshFacts) -> Findings:
    """P18: verify that all clusters have the same roots of trust.

    mTLS between clusters fails with UNKNOWN_CA where they differ. It is a warning while some roots are
    shared, as during a rotation.
    """
    shown = {
        name: frozenset(each.fingerprint for each in found.roots)
        for name, found in scene.gather(_authority_or_none).items()
        if found and found.roots
    }
    if len(shown) < 2:
        raise NotApplicable("fewer than two clusters have a root of trust")
    if len(set(shown.values())) > 1:
        each = "; ".join(f"{name}: {', '.join(sorted(roots))}" for name, roots in sorted(shown.items()))
        shared = frozenset.intersection(*shown.values())
        yield Finding(
            f"the clusters have different roots of trust ({each})",
            {name: sorted(roots) for name, roots in shown.items()},
            next((key for key in (cacerts_key(name) for name in shown) if scene.changes(key)), None),
            severity=Severity.WARNING if shared else Severity.ERROR,
        )


def _authority_or_none(facts: ClusterFacts) -> Inspection | None:
    found: Inspection | None = read(facts.authority)
    return found


def own_intermediate(scene: MeshFacts) -> Findings:
    """P19: verify that every cluster signs with its own intermediate certificate.

    A shared key leaks for all clusters at once, and cannot be renewed for one alone.
    """
    users: dict[str, list[str]] = {}
    for name, found in scene.gather(_authority_or_none).items():
        if found and found.certificate:
            users.setdefault(found.certificate.fingerprint, []).append(name)
    if not users:
        raise NotApplicable("no cluster has an intermediate certificate yet")
    for fingerprint, names in users.items():
        if len(names) > 1:
            last = scene.clusters[names[-1]]
            context, namespace = word(last.cluster.context), word(last.namespace)
            yield Finding(
                f"{' and '.join(names)} sign with the same intermediate certificate",
                {"clusters": names, "fingerprint": fingerprint},
                fix=f"kubectl --context {context} -n {namespace} get secret cacerts",
            )


def lasting(scene: MeshFacts, facts: ClusterFacts) -> Findings:
    """P20: verify that neither the root nor the intermediate certificate expires soon.

    A mesh with an expired CA looks healthy: pods run, and every new connection fails.
    """
    found = _authority(facts)
    if found.certificate:
        yield from _ending(scene, facts, found.certificate, "the intermediate certificate")
    if found.root:
        yield from _ending(scene, facts, found.root, "the root of trust")


def _ending(scene: MeshFacts, facts: ClusterFacts, cert: CertInfo, what: str) -> Iterator[Finding]:
    """Short-lived certificates are judged by a share of their life, the others by days."""
    is_root = what == "the root of trust"  # no apply replaces it
    life, left = cert.not_after - cert.not_before, cert.not_after - scene.now
    error = max(min(VERY_SOON, life / 12), 2 * LEAF)
    if left < max(min(SOON, life / 3), error):
        yield Finding(
            f"{what} expires on {cert.not_after:%Y-%m-%d %H:%M} UTC, in {max(left.days, 0)} days",
            {"notAfter": cert.not_after.isoformat(), "daysLeft": left.days, "fingerprint": cert.fingerprint},
            None if is_root else cacerts_key(facts.name),
            Severity.ERROR if left < error else Severity.WARNING,
            "replace the root of trust: see docs/explanation/root-of-trust.md" if is_root else "",
        )


def published(scene: MeshFacts, facts: ClusterFacts) -> Findings:
    """Q04: verify that the root of trust that istiod publishes to namespaces is the one in cacerts.

    Workloads trust the ConfigMap in their own namespace, not the Secret.
    """
    del scene
    found = _authority(facts)
    roots = frozenset(each.fingerprint for each in found.roots)
    there, config = read(facts.published), mesh_config(facts)
    for obj in facts.rows("namespaces"):
        name = obj["metadata"]["name"]
        is_ending = obj.get("status", {}).get("phase") == "Terminating"
        if is_ending or not is_published(name, labels(obj), config):
            continue
        if name not in there:
            yield Finding(f"namespace {name} has no ConfigMap istio-ca-root-cert", {"namespace": name})
        elif there[name] != roots:
            yield Finding(
                f"ConfigMap istio-ca-root-cert in namespace {name} differs from the root of trust in cacerts",
                {"namespace": name, "published": sorted(there[name]), "cacerts": sorted(roots)},
            )


def compatible(scene: MeshFacts) -> Findings:
    """M07: verify that every cluster trusts the certificates that every other cluster signs.

    P18 compares sets of roots; this verifies that a handshake can succeed, in each direction.
    """
    found = {name: each for name, each in scene.gather(_authority_or_none).items() if each and each.root}
    if len(found) < 2:
        raise NotApplicable("fewer than two clusters have an intermediate certificate")
    for name, own in sorted(found.items()):
        for other, remote in sorted(found.items()):
            trusted = {each.fingerprint for each in own.roots}
            if name != other and remote.root and remote.root.fingerprint not in trusted:
                yield Finding(
                    f"{name} does not trust certificates signed by {other}",
                    {"cluster": name, "peer": other, "root": remote.root.fingerprint},
                )
