"""What a cluster runs, as far as a mesh file describes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mesh.model.spec import Component, SecretRef


@dataclass(frozen=True, slots=True)
class InstalledComponent:
    """One component: its Helm release and what its pods run."""

    release: str
    namespace: str
    version: str
    hub: str = ""
    tag: str = ""


@dataclass(frozen=True, slots=True)
class DiscoveredGateway:
    """A Gateway that stands for a network: an east-west gateway, or a peer."""

    namespace: str
    name: str
    network: str
    owner: str
    by_hand: bool = True
    service: str = ""
    region: str = ""
    zone: str = ""

    @property
    def where(self) -> str:
        """Namespace and name, as people write them."""
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class DiscoveredCluster:
    """One cluster. `cluster_name` and `network` are "" where none is set; `roots` are fingerprints.

    `signer` says what signs: "cacerts", or one of the texts in `providers.cert.observe`. `clear_licence`
    says that a licence is in the values of the release. `remarks` are what could not be decided.
    """

    name: str
    context: str
    parts: Mapping[Component, InstalledComponent]
    cluster_name: str = ""
    network: str = ""
    trust_domain: str = ""
    licence: SecretRef | None = None
    clear_licence: bool = False
    roots: tuple[str, ...] = ()
    signer: str = ""
    gateway_api: str = ""
    eastwest: tuple[DiscoveredGateway, ...] = ()
    peers: tuple[DiscoveredGateway, ...] = ()
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SkippedCluster:
    """A context that cannot be in the file, and why."""

    name: str
    context: str
    why: str
    runs_istio: bool = False
