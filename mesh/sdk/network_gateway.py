"""The base of the Gateways that stand for a network: found by class and network label, not by name.

Istio looks at nothing else. A second one for the same network makes the first ambiguous, in whatever
namespace it is and whatever made it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Self

from mesh.istio.names import NETWORK
from mesh.model import Attrs, Found, Key, Live, Locator, Place
from mesh.sdk.capabilities import Leavable
from mesh.sdk.contract import Last, Preview
from mesh.sdk.kube_object import Manifest, ManifestProvider, place_of
from mesh.sdk.rights import READ, Right, rights
from mesh.sdk.shell import command
from mesh.world import Object, World
from mesh.world.resources import GATEWAY
from mesh.world.snapshot import Snapshot

IMPLIED = {
    f"peering.solo.io/{name}": "loadbalancer"
    for name in ("data-plane-service-type", "preferred-data-plane-service-type")
}
"""Annotations that repeat the default."""

PODS = "migrates"
"""What the lockfile holds for `NetworkLocator.pods`."""


@dataclass(frozen=True, slots=True, eq=False)
class NetworkLocator(Locator):
    """Finds a Gateway by the network that it stands for, whatever its name; with "" by its name only.

    `pods` also reads the pods behind it, which only a move to another root of trust needs.
    """

    network: str
    pods: bool = False

    def recorded(self) -> str:
        """Return the network, and a word for the pods; a network's name has no space in it."""
        return " ".join([self.network, *([PODS] if self.pods else [])])

    @classmethod
    def read(cls, text: str) -> Self:
        """Return the locator whose text this is."""
        network, *more = text.split(" ")
        return cls(network, PODS in more)


class NetworkGateways(ManifestProvider, Leavable[Manifest]):
    """A kind of such Gateways, found by a `NetworkLocator`."""

    resource = GATEWAY
    classes: ClassVar[frozenset[str]]
    what: ClassVar[str]
    named: ClassVar[bool] = False
    """Whether other objects refer to it by name, so that it must have the name in the file."""
    unmoved: ClassVar[str] = ""
    """Why it cannot be adopted in another namespace, if that needs an explanation."""

    def wanted(self, spec: Manifest, live: Found, last: Last | None) -> Attrs:
        """Return the file's fields over the live ones; another owner's object may leave defaults out."""
        return super().wanted(_short(spec, live, last), live, last)

    def observe(self, places: Mapping[Key, Place], snapshot: Snapshot) -> Mapping[Key, Found]:
        """Read each by its name; if that is missing, read the one that stands for the network."""
        found = dict(super().observe(places, snapshot))
        for key, place in places.items():
            live, network = found[key], NetworkLocator.of(place).network
            if isinstance(live, Live) or (live is None and network):
                found[key] = self._known(key, place, live, self._alike(network, snapshot))
        return found

    def _alike(self, network: str, snapshot: Snapshot) -> list[Object]:
        return [
            obj
            for obj in snapshot.list(GATEWAY)
            if network
            and obj.get("spec", {}).get("gatewayClassName") in self.classes
            and (obj["metadata"].get("labels") or {}).get(NETWORK) == network
            and "deletionTimestamp" not in obj["metadata"]
        ]

    def _known(self, key: Key, place: Place, live: Live | None, alike: Iterable[Object]) -> Live | None:
        here = Place(place.namespace, place.name)
        others = [obj for obj in alike if place_of(obj) != here]
        if live is None and others:
            first, *others = others
            here, live = place_of(first), self._live(key, first)
        twins = sorted(f"{at.namespace}/{at.name}" for at in map(place_of, others))
        return replace(live, place=here, status={**live.status, "twins": twins}) if live else None

    def reads(self, key: Key, place: Place) -> Iterable[Right]:
        """Return the right to list the Gateways of the cluster: any may have the network."""
        del key, place
        return rights(GATEWAY, READ)

    def refuse(self, spec: Manifest, live: Found, last: Last | None) -> str:
        """Refuse a second one for a network, and one in the wrong namespace or with the wrong name."""
        if not isinstance(live, Live) or live.place is None:
            return ""
        wanted, there = place_of(dict(spec.body)), live.place
        where = f"{there.namespace}/{there.name}"
        if twins := self._several(spec, live):
            return twins
        is_other = last is not None and last.created and last.place.name and _at(last.place) != there
        if is_other or there.namespace != wanted.namespace or (self.named and there != wanted):
            return (
                f"network {_network(spec)} already has a {self.what} in this cluster: {where}, by "
                f"{live.owner or 'an unknown owner'}; mesh never creates a second one: "
                f"{', '.join(self._ways_out(wanted, there))}"
            )
        return ""

    def _ways_out(self, wanted: Place, there: Place) -> Iterator[str]:
        name = f" and eastwest.name: {there.name}" if self.named else ""
        if there.namespace != wanted.namespace or self.named:
            yield f"set namespaces.eastwest: {there.namespace}{name} to use it"
        if not self.named:
            yield "leave it to its owner (`--leave ADDRESS`)"
        removal = command("kubectl", "delete", "gateway", "-n", there.namespace, there.name)
        why = f"; {self.unmoved}" if self.unmoved and there.namespace != wanted.namespace else ""
        yield f"or remove it ({removal}){why}"

    def refuse_left(self, spec: Manifest, live: Live) -> str:
        """Refuse several; one of another owner may be anywhere, unless the peers know it by its name."""
        return self.refuse(spec, live, None) if self.named else self._several(spec, live)

    def ambiguous(self, spec: Manifest, live: Live) -> str:
        """Return why it does not work beside others for the same network; "" if it is the only one."""
        return self._several(spec, live) if live.status.get("twins") else ""

    def _several(self, spec: Manifest, live: Live) -> str:
        if live.place is None or not (twins := live.status["twins"]):
            return ""
        names = ", ".join([f"{live.place.namespace}/{live.place.name}", *twins])
        return (
            f"network {_network(spec)} has several {self.what}s in this cluster: {names}; "
            "with more than one it is ambiguous: remove all but one"
        )

    def preview(self, spec: Manifest, key: Key, live: Live | None, world: World) -> Preview:
        """Dry-run the write, to the object that was found."""
        return super().preview(_named(spec, live), key, live, world)

    def update(self, spec: Manifest, key: Key, live: Live, last: Last | None, world: World) -> None:
        """Apply it by force, to the object that was found."""
        super().update(_named(_short(spec, live, last), live), key, live, last, world)


def _network(spec: Manifest) -> str:
    return str(spec.body["metadata"].get("labels", {}).get(NETWORK, ""))


def _at(place: Place) -> Place:
    return Place(place.namespace, place.name)


def _short(spec: Manifest, live: Found, last: Last | None) -> Manifest:
    """Leave out annotations that repeat a default, if an object that mesh did not create has none."""
    if not isinstance(live, Live) or (last and last.created):
        return spec
    there = live.attrs.get("metadata", {}).get("annotations", {})
    meta = spec.body["metadata"]
    said = {
        name: value
        for name, value in meta.get("annotations", {}).items()
        if name in there or IMPLIED.get(name) != value
    }
    return replace(spec, body={**spec.body, "metadata": {**meta, "annotations": said}})


def _named(spec: Manifest, live: Live | None) -> Manifest:
    if live is None or live.place is None:
        return spec
    here = {"namespace": live.place.namespace, "name": live.place.name}
    return replace(spec, body={**spec.body, "metadata": {**spec.body["metadata"], **here}})
