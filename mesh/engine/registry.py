"""All resource kinds: those of mesh, and those of installed packages."""

from __future__ import annotations

from mesh.errors import MeshError
from mesh.model.spec import Mesh
from mesh.sdk.contract import Provider, Registry, registry

ENTRY_POINTS = "mesh.providers"


def all_kinds() -> Registry:
    """Return every kind by its name.

    Packages add kinds by the entry-point group `mesh.providers`; a name that mesh has itself stays mesh's.
    """
    from mesh.providers.cert import CertProvider
    from mesh.providers.chart import ChartProvider
    from mesh.providers.crds import CrdsProvider
    from mesh.providers.gateway import GatewayProvider
    from mesh.providers.label import LabelProvider
    from mesh.providers.link import LinkProvider
    from mesh.providers.namespace import NamespaceProvider
    from mesh.providers.peer import PeerProvider
    from mesh.providers.reader import ReaderProvider
    from mesh.providers.registration import RegistrationProvider
    from mesh.providers.remote import RemoteProvider
    from mesh.providers.secret import SecretProvider

    own = registry(
        (
            CertProvider(),
            ChartProvider(),
            CrdsProvider(),
            GatewayProvider(),
            LabelProvider(),
            LinkProvider(),
            NamespaceProvider(),
            PeerProvider(),
            ReaderProvider(),
            RegistrationProvider(),
            RemoteProvider(),
            SecretProvider(),
        )
    )
    return {**_installed(), **own}


def kinds_for(mesh: Mesh) -> Registry:
    """Return the kinds that the expansion of a mesh file needs: none, if it lists no resources."""
    return all_kinds() if mesh.resources else {}


def _installed() -> dict[str, Provider[object]]:
    """Return the kinds of other packages; raise MeshError for one that is broken."""
    from importlib.metadata import entry_points

    found: dict[str, Provider[object]] = {}
    for point in entry_points(group=ENTRY_POINTS):
        package = point.dist.name if point.dist else "an installed package"
        try:
            kind = point.load()()
        except Exception as error:  # noqa: BLE001  # any code can be behind an entry point
            raise MeshError(
                f"resource kind {point.value} of {package} cannot be loaded: {type(error).__name__}: {error}",
                hint=f"upgrade or uninstall {package}",
            ) from None
        if not isinstance(kind, Provider):
            raise MeshError(
                f"{point.value} of {package} is not a resource kind", hint=f"upgrade or uninstall {package}"
            )
        found[kind.kind] = kind
    return found
