"""Which roots of trust are to be seen where, and when that is one too many; pure."""

from __future__ import annotations

from collections.abc import Mapping

from mesh.errors import MeshError
from mesh.world.pki.certificates import describe, pem_blocks

Shown = Mapping[str, frozenset[str]]
"""By cluster, the fingerprints of the roots that it shows."""


ADVICE = (
    "a second root is never generated: put its key and certificate back, name its files in "
    "spec.rootOfTrust.ca.files, say existing: true if every cluster has a cacerts under it, or remove the "
    "Secret cacerts and the ConfigMaps istio-ca-root-cert that are left of an earlier mesh"
)


def fingerprints_in(bundle: str) -> frozenset[str]:
    """The fingerprints of every certificate in a PEM text; what is damaged has none."""
    found = set()
    for block in pem_blocks(bundle.replace("\r\n", "\n")):
        try:
            found.add(describe(block).fingerprint)
        except MeshError:
            continue
    return frozenset(found)


def root_conflicts(wanted: str | None, shown: Shown) -> tuple[str, ...]:
    """Say which clusters show another root than the mesh's (None: one is about to be generated)."""
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
    """Say so if the clusters share no root of trust; () if they do, or at most one shows any."""
    known = {cluster: roots for cluster, roots in shown.items() if roots}
    if len(known) < 2 or frozenset.intersection(*known.values()):
        return ()
    each = ", ".join(f"{cluster} {' + '.join(sorted(roots))}" for cluster, roots in sorted(known.items()))
    return (f"the clusters do not share a root of trust: {each}",)
