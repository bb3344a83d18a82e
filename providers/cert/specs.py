"""The specs and the places of the two resources of kind `cert`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from typing import TYPE_CHECKING, Self

from mesh.istio.addresses import root_key
from mesh.model import Locator, Place, Unknown
from mesh.model.refs import Ref
from mesh.model.spec import CA, FilesCA, GenerateCA, Intermediate, KeyAlgorithm
from mesh.world import World

if TYPE_CHECKING:
    from mesh.world.pki import SigningContext

ROOT = root_key()
CACERTS = "cacerts"
ISSUER = Ref(ROOT, "issuer")
"""The issuer in an intermediate's spec; see `mesh.world.pki.issuer_of`."""


@dataclass(frozen=True, slots=True)
class RootSpec:
    """The root of trust. `key` and `validity` matter only when it is generated.

    `namespaces` are istiod's, by cluster: an existing root would show there. With `migrate`, clusters that
    have one move to the new one.
    """

    mesh: str
    ca: CA
    key: KeyAlgorithm
    validity: timedelta
    namespaces: Mapping[str, str] = field(default_factory=dict)
    migrate: str = ""


@dataclass(frozen=True, slots=True)
class IntermediateSpec:
    """A cluster's `cacerts`. `issuer` is `ISSUER` until it is bound; None if the user signs.

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


class Layout(Enum):
    """What the name of a certificate's place is."""

    INTERMEDIATE = "intermediate"
    """The name of a Secret."""
    ROOT = "root"
    """The name of a mesh; its files are in the user's configuration folder."""
    ROOT_KEY = "root-key"
    """The path of a key file."""
    ROOT_CERTIFICATE = "root-certificate"
    """The path of a certificate file."""


@dataclass(frozen=True, slots=True, eq=False)
class CertLocator(Locator):
    """Says what the name of the place is."""

    layout: Layout

    def recorded(self) -> str:
        """Return the name of the layout."""
        return self.layout.value

    @classmethod
    def read(cls, text: str) -> Self:
        """Return the locator whose text this is."""
        return cls(Layout(text))


def is_intermediate(place: Place) -> bool:
    """Return whether an intermediate certificate is at this place, not a root."""
    return CertLocator.of(place).layout is Layout.INTERMEDIATE


def root_place(mesh: str, ca: CA) -> Place:
    """Return where the root is; the layout says how to read the name."""
    match ca:
        case FilesCA(cert, _):
            return Place("", cert, CertLocator(Layout.ROOT_CERTIFICATE))
        case GenerateCA(key_file) if key_file:
            return Place("", key_file, CertLocator(Layout.ROOT_KEY))
    return Place("", mesh, CertLocator(Layout.ROOT))


def cacerts_place(namespace: str) -> Place:
    """Return where a cluster's intermediate is."""
    return Place(namespace, CACERTS, CertLocator(Layout.INTERMEDIATE))


def context(world: World) -> SigningContext:
    """Return the part of the world that signing uses."""
    from mesh.world.pki import SigningContext

    return SigningContext(world.env, world.folder, world.clock.now())
