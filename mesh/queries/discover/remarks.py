"""Where the clusters differ in what a mesh has once, and what only a person can decide; pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from mesh.queries.discover.found import DiscoveredCluster


def remarks(clusters: Sequence[DiscoveredCluster], version: str) -> Iterator[str]:
    """Yield one sentence each, in the order of the file."""
    for each in clusters:
        yield from (f"{each.name}: {remark}" for remark in each.remarks)
        yield from _versions(each, version)
    yield from _differ(
        clusters, "image hubs", lambda each: {part.hub for part in each.parts.values() if part.hub}
    )
    yield from _differ(
        clusters, "image tags", lambda each: {part.tag for part in each.parts.values() if part.tag}
    )
    yield from _licences(clusters)
    yield from _roots(clusters)
    yield from _twice(clusters, "cluster name", lambda each: each.cluster_name)
    yield from _twice(clusters, "network", lambda each: each.network)
    yield from _gateways(clusters)
    yield from _peers(clusters)


def _versions(found: DiscoveredCluster, version: str) -> Iterator[str]:
    others = {name: part.version for name, part in found.parts.items() if part.version != version}
    if others:
        listed = ", ".join(f"{name} {there}" for name, there in others.items())
        yield f"{found.name}: {listed} would become {version}"


def _differ(
    clusters: Sequence[DiscoveredCluster], what: str, of: Callable[[DiscoveredCluster], set[str]]
) -> Iterator[str]:
    found = {each.name: of(each) for each in clusters}
    if len(set().union(*found.values())) > 1:
        listed = "; ".join(f"{name} {', '.join(sorted(values))}" for name, values in found.items() if values)
        yield f"the {what} differ, a mesh has one: {listed}"


def _licences(clusters: Sequence[DiscoveredCluster]) -> Iterator[str]:
    clear = [each.name for each in clusters if each.clear_licence]
    if clear:
        yield (
            f"license.value = (sensitive) is in the values of istiod in {', '.join(clear)}: set the variable "
            "below to it; mesh puts it into a Secret and takes it out of the values"
        )
    if len({each.licence for each in clusters}) > 1:
        yield "the clusters read their licence from different Secrets: a mesh has one name for it"


def _roots(clusters: Sequence[DiscoveredCluster]) -> Iterator[str]:
    unread = [each.name for each in clusters if not each.roots]
    if unread:
        yield f"no root of trust is to be seen in {', '.join(unread)}"


def _twice(
    clusters: Sequence[DiscoveredCluster], what: str, of: Callable[[DiscoveredCluster], str]
) -> Iterator[str]:
    first: dict[str, str] = {}
    for each in clusters:
        value = of(each)
        if value and first.setdefault(value, each.name) != each.name:
            yield (
                f"{each.name} has the {what} of {first[value]}, {value}: each needs its own, so it would "
                f"become {each.name}"
            )


def _gateways(clusters: Sequence[DiscoveredCluster]) -> Iterator[str]:
    homes = sorted({gateway.namespace for each in clusters for gateway in each.eastwest})
    if len(homes) > 1:
        yield f"the east-west gateways are in {' and '.join(homes)}: a peer expects them in one namespace"
    for each in clusters:
        if len(each.eastwest) > 1:
            listed = ", ".join(one.where for one in each.eastwest)
            yield f"{each.name} has several east-west gateways: {listed}"


def _peers(clusters: Sequence[DiscoveredCluster]) -> Iterator[str]:
    networks = {each.network or each.name for each in clusters}
    for each in clusters:
        for peer in each.peers:
            if not peer.by_hand:
                yield f"{each.name}: peer {peer.where} is kept by a management plane: see links.automatic"
            elif peer.network not in networks:
                yield f"{each.name}: peer {peer.where} leads to network {peer.network}, of no cluster here"
