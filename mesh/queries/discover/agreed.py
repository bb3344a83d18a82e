"""What the clusters have in common: one value for each field that a mesh has once; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from mesh.istio.versions import (
    GATEWAY_API,
    GATEWAY_API_DIGESTS,
    IMAGES,
    PUBLIC_REGISTRY,
    UPSTREAM_IMAGES,
    Version,
    since,
)
from mesh.model.spec import SecretRef
from mesh.providers.crds import number
from mesh.queries.discover.found import DiscoveredCluster, DiscoveredGateway
from mesh.queries.discover.remarks import remarks

FALLBACK = "1.30.2-solo"
EASTWEST = "istio-eastwest"


@dataclass(frozen=True, slots=True)
class Agreed:
    """One mesh. `hub`, `tag`, `gateway_api` and `eastwest` are "" where the file's defaults say the same.

    `links` is None for a full mesh. `existing` says that all clusters share a root; otherwise mesh makes
    one. `remarks` are what could not be decided.
    """

    version: str
    upstream: bool
    hub: str
    tag: str
    licence: SecretRef | None
    existing: bool
    gateway_api: str
    eastwest: str
    links: tuple[tuple[str, str], ...] | None
    remarks: tuple[str, ...] = ()


def agree(clusters: Sequence[DiscoveredCluster]) -> Agreed:
    """Return one value for all clusters, the commonest or newest where they differ."""
    version = _newest(each.parts["istiod"].version for each in clusters)
    parts = [part for each in clusters for part in each.parts.values() if part.hub]
    hub, tag = _commonest(part.hub for part in parts), _commonest(part.tag for part in parts)
    parsed = Version.parse(version) or Version.parse(FALLBACK)
    assert parsed is not None, "the fallback is a version"
    upstream = Version.parse(version) is not None and not parsed.solo
    homes = sorted({gateway.namespace for each in clusters for gateway in each.eastwest})
    own = UPSTREAM_IMAGES if upstream else {_public(parsed)}
    return Agreed(
        version=version if Version.parse(version) else FALLBACK,
        upstream=upstream,
        hub="" if hub in own else hub,
        tag="" if tag == version else tag,
        licence=_licence(clusters),
        existing=_share_a_root(clusters),
        gateway_api=_gateway_api(clusters, parsed),
        eastwest="" if homes in ([], [EASTWEST]) else homes[0],
        links=_links(clusters),
        remarks=tuple(remarks(clusters, version)),
    )


def _newest(versions: Iterable[str]) -> str:
    known = [(parsed, text) for text in versions if (parsed := Version.parse(text))]
    return max(known)[1] if known else FALLBACK


def _commonest(values: Iterable[str]) -> str:
    found = Counter(values)
    return max(sorted(found), key=lambda value: found[value]) if found else ""


def _public(version: Version) -> str:
    """Return the default hub of the mesh file, "" where it depends on a key that only the user has."""
    return since(IMAGES, version.line) if version.line >= PUBLIC_REGISTRY else ""


def _licence(clusters: Sequence[DiscoveredCluster]) -> SecretRef | None:
    found = {each.licence for each in clusters}
    return found.pop() if len(found) == 1 else None


def _share_a_root(clusters: Sequence[DiscoveredCluster]) -> bool:
    """Return whether every cluster has an intermediate certificate, and all chain to one root."""
    plugged = all(each.roots and not each.signer.startswith("self-signed") for each in clusters)
    return plugged and bool(frozenset.intersection(*(frozenset(each.roots) for each in clusters)))


def _gateway_api(clusters: Sequence[DiscoveredCluster], version: Version) -> str:
    """Return the oldest version that a cluster has, if the default would replace it; else ""."""
    there = [each.gateway_api for each in clusters if each.gateway_api]
    oldest = min(there, key=number, default="")
    is_older = bool(oldest) and number(oldest) < number(since(GATEWAY_API, version.line))
    return oldest if is_older and oldest in GATEWAY_API_DIGESTS else ""


def _links(clusters: Sequence[DiscoveredCluster]) -> tuple[tuple[str, str], ...] | None:
    """Return the linked pairs; None if all pairs are linked, or none yet."""
    by_network = {network_of(each): each.name for each in clusters}
    there = {
        (each.name, by_network[peer.network])
        for each in clusters
        for peer in each.peers
        if peer.network in by_network
    }
    full = {(one.name, two.name) for one in clusters for two in clusters if one.name != two.name}
    return None if not there or there == full else tuple(sorted(there))


def network_of(found: DiscoveredCluster) -> str:
    """Return the network that a cluster has, or would get."""
    return found.network or found.name


def own_gateway(found: DiscoveredCluster) -> DiscoveredGateway | None:
    """Return the east-west gateway of a cluster if it has exactly one."""
    return found.eastwest[0] if len(found.eastwest) == 1 else None


def distinct(clusters: Sequence[DiscoveredCluster]) -> Iterator[tuple[DiscoveredCluster, str, str]]:
    """Yield each cluster with its cluster name and network; a later one that shares one gets its own name."""
    names: set[str] = set()
    networks: set[str] = set()
    for each in clusters:
        name = each.cluster_name if each.cluster_name and each.cluster_name not in names else each.name
        network = each.network if each.network and each.network not in networks else each.name
        names.add(name)
        networks.add(network)
        yield each, name, network
