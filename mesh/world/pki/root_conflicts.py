"""The roots of trust that the clusters show, and conflicts between them; pure."""

from __future__ import annotations

from collections.abc import Mapping

from mesh.errors import MeshError
from mesh.world.pki.certificates import describe, pem_blocks

Shown = Mapping[str, frozenset[str]]
"""By cluster, the fingerprints of the roots that it shows."""


ADVICE = (
    "a second root is never generated: restore its key and certificate, name its files in "
    "spec.rootOfTrust.ca.files, set existing: true if every cluster has a cacerts under it, or remove the "
    "Secret cacerts and the ConfigMaps istio-ca-root-cert that an earlier mesh left"
)


def fingerprints_in(bundle: str) -> frozenset[str]:
    """Return the fingerprints of the certificates in a PEM text; damaged ones are skipped."""
    found = set()
    for block in pem_blocks(bundle.replace("\r\n", "\n")):
        try:
            found.add(describe(block).fingerprint)
        except MeshError:
            continue
    return frozenset(found)


def root_conflicts(wanted: str | None, shown: Shown) -> tuple[str, ...]:
    """Return the clusters that show another root than the mesh's (None: one is about to be generated)."""
    strange = {
        cluster: sorted(roots)
        for cluster, roots in sorted(shown.items())
        if roots and (wanted is None or wanted not in roots)
    }
    there = [f"cluster {name} has the root of trust {', '.join(roots)}" for name, roots in strange.items()]
    if wanted is None and there:
        return ("; ".join([*there, ADVICE]),)
    return tuple(f"{each}, and the mesh has {wanted}" for each in there)


def one_root(shown: Shown) -> tuple[str, ...]:
    """Return a problem if the clusters share no root of trust; () if they do, or at most one shows any."""
    known = {cluster: roots for cluster, roots in shown.items() if roots}
    if len(known) < 2 or frozenset.intersection(*known.values()):
        return ()
    each = ", ".join(f"{cluster} {' + '.join(sorted(roots))}" for cluster, roots in sorted(known.items()))
    return (f"the clusters do not share a root of trust: {each}",)
