"""The kinds there are: ours, and those that other distributions add."""

from __future__ import annotations

from mesh.errors import MeshError
from mesh.sdk.contract import Provider, Registry, registry

ENTRY_POINTS = "mesh.providers"


def all_kinds() -> Registry:
    """Return every kind by its name; third parties add theirs by the entry-point group `mesh.providers`."""
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

    ours = registry(
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
    return {**_theirs(), **ours}


def _theirs() -> dict[str, Provider[object]]:
    from importlib.metadata import entry_points

    found: dict[str, Provider[object]] = {}
    for point in entry_points(group=ENTRY_POINTS):
        kind = point.load()()
        if not isinstance(kind, Provider):
            raise MeshError(f"{point.value} is no resource kind", hint="uninstall the package that brings it")
        found[kind.kind] = kind
    return found
