"""What the two resources of kind `cert` are told, and where they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from mesh.model import NO_CLUSTER, Key, Place, Unknown
from mesh.model.refs import Ref
from mesh.model.spec import CA, FilesCA, GenerateCA, Intermediate, KeyAlgorithm
from mesh.world import World

if TYPE_CHECKING:
    from mesh.world.pki import SigningContext

ROOT = Key("cert", NO_CLUSTER, "root")
CACERTS = "cacerts"
INTERMEDIATE = "intermediate"
ISSUER = Ref(ROOT, "issuer")
"""What an intermediate's spec names as its issuer; see `mesh.world.pki.issuer_of`."""


@dataclass(frozen=True, slots=True)
class RootSpec:
    """The root of trust. `key` and `validity` matter only when it is generated.

    `namespaces` are istiod's, by cluster: where a root that is there already would show. With
    `migrate`, clusters that show one are moved to the new one.
    """

    mesh: str
    ca: CA
    key: KeyAlgorithm
    validity: timedelta
    namespaces: Mapping[str, str] = field(default_factory=dict)
    migrate: str = ""


@dataclass(frozen=True, slots=True)
class IntermediateSpec:
    """A cluster's `cacerts`. `issuer` is `ISSUER` until it is bound; None if the user keeps them.

    `migrate` and `backup` as in `mesh.model.spec.RootOfTrust`.
    """

    mesh: str
    cluster: str
    namespace: str
    profile: Intermediate
    ca: CA
    issuer: Mapping[str, str] | Ref | Unknown | None
    migrate: str = ""
    backup: str = ""


CertSpec = RootSpec | IntermediateSpec


def root_place(mesh: str, ca: CA) -> Place:
    """Where the root is: the variant says how to read the name (a mesh, a key file, a certificate file)."""
    match ca:
        case FilesCA(cert, _):
            return Place("", cert, "root-certificate")
        case GenerateCA(key_file) if key_file:
            return Place("", key_file, "root-key")
    return Place("", mesh, "root")


def cacerts_place(namespace: str) -> Place:
    """Where a cluster's intermediate is."""
    return Place(namespace, CACERTS, INTERMEDIATE)


def context(world: World) -> SigningContext:
    """The part of the world that signing may touch."""
    from mesh.world.pki import SigningContext

    return SigningContext(world.env, world.folder, world.clock.now())
