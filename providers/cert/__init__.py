"""Kind `cert`: the root of trust of a mesh, and each cluster's intermediate certificate under it.

`cert/-/root` and `cert/<cluster>/cacerts` are one kind in the addresses and two in behaviour. `root` and
`intermediate` each hold one of them; `_half` picks by spec or by place.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from mesh.model import Action, Attrs, Found, Key, Live, Place, Ready, Resource, Touch
from mesh.model.spec import Mesh
from mesh.providers.cert.document import shown
from mesh.providers.cert.intermediate import Cacerts
from mesh.providers.cert.root import Root, roots_shown
from mesh.providers.cert.specs import (
    ISSUER,
    ROOT,
    CertSpec,
    IntermediateSpec,
    RootSpec,
    cacerts_place,
    is_intermediate,
    root_place,
)
from mesh.sdk.capabilities import (
    Adoptable,
    Confirmed,
    Disruptive,
    Kept,
    Permitted,
    Renewable,
    Scripted,
    Shown,
    Traced,
)
from mesh.sdk.contract import Last, Preview, Provider
from mesh.sdk.document import Document
from mesh.sdk.rights import VERBS, Right, rights
from mesh.sdk.script import Commands, Stage
from mesh.world import World
from mesh.world.resources import SECRET
from mesh.world.snapshot import Snapshot

__all__ = [
    "ISSUER",
    "ROOT",
    "CertProvider",
    "IntermediateSpec",
    "RootSpec",
    "cacerts_place",
    "root_place",
    "roots_shown",
]

_ROOT = Root()
_CACERTS = Cacerts()


class CertProvider(
    Provider[CertSpec],
    Adoptable,
    Confirmed[CertSpec],
    Renewable[CertSpec],
    Disruptive,
    Kept,
    Traced,
    Permitted,
    Shown[CertSpec],
    Scripted[CertSpec],
):
    """Root and intermediates, each in its own half."""

    kind = "cert"
    stage = Stage.TRUST
    waits = False
    asks = frozenset({("issuer",)})
    moves = frozenset({("issuer",)})
    stays = "it stays for the istiod that existed before mesh"

    def wanted(self, spec: CertSpec, live: Found, last: Last | None) -> Attrs:
        """Return the profile of what mesh signs; else the live attrs."""
        return _half(spec).wanted(spec, live, last)

    def due(self, spec: CertSpec, live: Live, now: datetime) -> str:
        """Return why an intermediate of mesh must be signed again."""
        return _CACERTS.due(spec, live, now) if isinstance(spec, IntermediateSpec) else ""

    def refuse(self, spec: CertSpec, live: Found, last: Last | None) -> str:
        """Refuse to change a root of trust, and to overwrite another owner's certificate."""
        return _half(spec).refuse(spec, live, last)

    def ready(self, spec: CertSpec, live: Live) -> Ready:
        """Return whether istiod and ztunnel will accept it."""
        return _half(spec).ready(spec, live)

    def observe(self, places: Mapping[Key, Place], snapshot: Snapshot) -> Mapping[Key, Found]:
        """Read roots from disk and intermediates from their cluster."""
        below = {key: place for key, place in places.items() if is_intermediate(place)}
        roots = {key: place for key, place in places.items() if key not in below}
        return {**_ROOT.observe(roots, snapshot), **_CACERTS.observe(below, snapshot)}

    def owned(self, mesh: str, snapshot: Snapshot) -> Mapping[Key, Place]:
        """Return every intermediate with the mesh's label; a root leaves no mark in a cluster."""
        return _CACERTS.owned(mesh, snapshot)

    def written(self, key: Key, place: Place, live: Live, world: World) -> tuple[Touch, ...]:
        """Return who wrote the Secret; nothing for a root, which is a file on this machine."""
        return _CACERTS.written(key, place, live, world) if is_intermediate(place) else ()

    def commands(self, resource: Resource[CertSpec], mesh: Mesh) -> Commands:
        """Sign with openssl, under the root that an apply would use."""
        from mesh.providers.cert.commands import cert_commands

        return cert_commands(resource, mesh)

    def documents(self, spec: CertSpec, key: Key, world: World | None) -> Iterable[Document]:
        """Return the Secret `cacerts` with its values masked; nothing of a root."""
        del world
        return (shown(spec, key),)

    def rights(self, action: Action, key: Key, place: Place) -> Iterable[Right]:
        """Return the rights on the Secret `cacerts`; mesh replaces it, so `update` and not `patch`."""
        del key
        verbs = ("update" if verb == "patch" else verb for verb in VERBS.get(action, ()))
        return rights(SECRET, verbs, place.namespace)

    def preview(self, spec: CertSpec, key: Key, live: Live | None, world: World) -> Preview:
        """Check that the signer can sign, and that no cluster has another root; sign nothing."""
        return _half(spec).preview(spec, key, live, world)

    def create(self, spec: CertSpec, key: Key, world: World) -> None:
        """Create it; keep the right one if it already exists."""
        _half(spec).create(spec, key, world)

    def update(self, spec: CertSpec, key: Key, live: Live, last: Last | None, world: World) -> None:
        """Sign an intermediate again."""
        _half(spec).update(spec, key, live, last, world)

    def keeps(self, place: Place, world: World) -> str:
        """Return that a root stays."""
        return "" if is_intermediate(place) else _ROOT.keeps(place, world)

    def delete(self, key: Key, place: Place, live: Live, last: Last, world: World) -> tuple[str, ...]:
        """Delete an intermediate that mesh created; keep a root, and report where it is."""
        return _half(place).delete(key, place, live, last, world)


def _half(which: CertSpec | Place) -> Provider[Any]:
    """Return the half that has this spec or place."""
    is_below = is_intermediate(which) if isinstance(which, Place) else isinstance(which, IntermediateSpec)
    return _CACERTS if is_below else _ROOT
