"""A mesh in which every resource is in sync and ready, as live objects; tests break one at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from mesh.engine.registry import all_kinds
from mesh.engine.session import Session
from mesh.istio.peering import CONNECTED, SUCCEEDED
from mesh.model import NO_CLUSTER, Found, Key, Live, Place, Resource, Unknown
from mesh.model.diff import fingerprints
from mesh.model.graph import edges, ordered
from mesh.model.refs import Ref, bind, pick
from mesh.planner.decide import decide
from mesh.planner.decisions import Decisions
from mesh.planner.expand import expand
from mesh.planner.inputs import Inputs
from mesh.queries.current import Current
from mesh.queries.states import states
from mesh.sdk.contract import Last
from mesh.sdk.kube_object import attrs_of
from mesh.state.lockfile import Entry, State
from mesh.state.store import Store
from mesh.world import Object, World
from mesh.world.clock import SystemClock
from mesh.world.pki import duration
from mesh.world.snapshot import Snapshot
from tests.support.meshes import mesh_of

NOW = datetime(2026, 5, 1, tzinfo=UTC)
ROOT = "sha256:" + "ab" * 32
ISSUER = {"fingerprint": ROOT, "certificate": "", "not_after": (NOW + timedelta(days=3650)).isoformat()}
SERVER = "https://{}.invalid:6443"
ADDRESS = {"a": "192.0.2.1", "b": "192.0.2.2", "c": "192.0.2.3"}


class Clock(SystemClock):
    """A clock that stands still."""

    def now(self) -> datetime:
        return NOW


class Empty:
    """An API server that answers every LIST with nothing; the live objects of these tests are given."""

    def __init__(self, cluster: str) -> None:
        self.cluster, self.context, self.server = cluster, cluster, SERVER.format(cluster)

    def list(self, _resource: object, **_query: Any) -> list[Object]:
        return []


@dataclass(frozen=True)
class Healthy:
    """A mesh, its live objects, and the state that an apply left."""

    session: Session
    resources: Mapping[Key, Resource[Any]]
    found: Mapping[Key, Found]
    state: State

    def inputs(self, changed: Mapping[Key, Found]) -> Inputs:
        """What a plan is decided from when some objects are otherwise."""
        graph = edges(self.resources.values())
        return Inputs(self.resources, graph, ordered(graph), {**self.found, **changed}, self.state, NOW)

    def seen(self, changed: Mapping[Key, Found]) -> tuple[Decisions, Current]:
        """What a plan decides then, and what every query sees."""
        inputs = self.inputs(changed)
        decisions = decide(inputs, self.session.kinds)
        clusters = {key.cluster for key in self.resources}
        snapshots = {name: Snapshot(name, self.session.world) for name in clusters}
        return decisions, Current(states(inputs, decisions, self.session.kinds), snapshots, {})

    def live(self, address: str) -> Live:
        """A healthy live object."""
        found = self.found[Key.parse(address)]
        assert isinstance(found, Live), address
        return found


def healthy(how: str, folder: Path) -> Healthy:
    """A mesh linked in one of the ways of `tests.support.meshes`, in sync and ready."""
    mesh, kinds = mesh_of(how), all_kinds()
    kubes = {cluster.name: Empty(cluster.name) for cluster in mesh.clusters}
    session = Session(mesh, World(kubes, {}, Clock(), {}, folder), kinds, Store(folder / "mesh.lock"))
    resources = expand(mesh)
    found: dict[Key, Found] = {}
    entries: dict[Key, Entry] = {}
    for key in ordered(edges(resources.values())):
        resource = resources[key]
        spec = bind(resource.spec, lambda ref: _value(found, ref))
        live = LIVE[key.kind](key, resource, spec, dict(kinds[key.kind].wanted(spec, None, None)))
        found[key] = replace(live, uid="uid", owner="demo")
        last = Last(resource.place, fingerprints(live.attrs), uid="uid", outputs=live.outputs)
        entries[key] = Entry(last)
    return Healthy(session, resources, found, State("demo", "lineage", 1, entries=entries))


def _value(found: Mapping[Key, Found], ref: Ref) -> Any:
    live = found.get(ref.key)  # the licence is no resource, and its value is not at hand
    return pick(live.outputs, ref) if isinstance(live, Live) else Unknown(ref.key)


def conditions(**statuses: str) -> dict[str, Any]:
    """The status of an object of generation 2, with conditions that describe it."""
    listed = [
        {"type": name.replace("__", "/").replace("_", "."), "status": status, "observedGeneration": 2}
        for name, status in statuses.items()
    ]
    return {"generation": 2, "conditions": listed}


UP = {
    "generation": 2,
    "conditions": [
        {"type": name, "status": "True", "observedGeneration": 2} for name in (CONNECTED, SUCCEEDED)
    ],
}


def _crds(_key: Key, _resource: Resource[Any], _spec: Any, attrs: dict[str, Any]) -> Live:
    return Live(attrs, "token", status={"served": ["gatewayclasses", "gateways"]})


def _namespace(_key: Key, _resource: Resource[Any], _spec: Any, attrs: dict[str, Any]) -> Live:
    return Live(attrs, "token", status={"phase": "Active"})


def _cert(key: Key, _resource: Resource[Any], spec: Any, attrs: dict[str, Any]) -> Live:
    if key.cluster == NO_CLUSTER:
        status = {"key": "present", "path": "/root.crt", "problems": []}
        return Live(attrs, "token", outputs={"issuer": ISSUER}, status=status)
    begin = NOW - timedelta(days=1)
    outputs = {
        "not_before": begin.isoformat(),
        "not_after": (begin + spec.profile.validity).isoformat(),
        "root": ROOT,
        "subject": f"CN=demo/{key.cluster}",
    }
    status = {"by": "cacerts", "address": str(key), "problems": [], "roots": [ROOT], "signed_by": "CN=root"}
    attrs = {**attrs, "validity": duration(spec.profile.validity), "issuer": ROOT}
    return Live(attrs, "token", outputs=outputs, status=status)


def _secret(_key: Key, _resource: Resource[Any], _spec: Any, _attrs: dict[str, Any]) -> Live:
    return Live({"type": "Opaque", "data": {"license-key": "d1gest"}}, "token", outputs={"digest": "d1gest"})


def _chart(_key: Key, resource: Resource[Any], spec: Any, attrs: dict[str, Any]) -> Live:
    place = Place(resource.place.namespace, spec.job.release)
    version = attrs.get("version") or "2.10.0"
    status = {"view": None, "others": [], "nodes": 2, "troubles": [], "published": {}}
    return Live({**attrs, "version": version}, "token", status=status, place=place)


def _label(_key: Key, _resource: Resource[Any], _spec: Any, attrs: dict[str, Any]) -> Live:
    return Live(attrs, "token")


def _gateway(key: Key, resource: Resource[Any], spec: Any, _attrs: dict[str, Any]) -> Live:
    value = ADDRESS[key.cluster]
    ports = [each["port"] for each in spec.body["spec"]["listeners"] if each["name"] == "xds-tls"]
    endpoint = {"type": "IPAddress", "value": value, **({"xdsPort": ports[0]} if ports else {})}
    status = {**conditions(Accepted="True", Programmed="True"), "twins": []}
    status["addresses"] = [{"type": "IPAddress", "value": value}]
    place = Place(resource.place.namespace, resource.place.name)
    return Live(attrs_of(spec.body), "token", outputs={"endpoint": endpoint}, status=status, place=place)


def _link(_key: Key, resource: Resource[Any], spec: Any, _attrs: dict[str, Any]) -> Live:
    place = Place(resource.place.namespace, resource.place.name)
    return Live(attrs_of(spec.body), "token", status={**UP, "twins": []}, place=place)


def _reader(key: Key, _resource: Resource[Any], _spec: Any, attrs: dict[str, Any]) -> Live:
    outputs = {"server": SERVER.format(key.cluster), "roots": ROOT, "ca": "c4", "token": "t0ken"}
    return Live(attrs, "token", outputs=outputs)


def _remote(_key: Key, _resource: Resource[Any], _spec: Any, attrs: dict[str, Any]) -> Live:
    return Live(attrs, "token", status={"roots": ROOT})


def _peer(key: Key, resource: Resource[Any], _spec: Any, _attrs: dict[str, Any]) -> Live:
    network = {"topology.istio.io/network": key.name}
    spec = {
        "gatewayClassName": "istio-remote",
        "addresses": [{"type": "IPAddress", "value": ADDRESS[key.name]}],
        "listeners": [{"name": "xds-tls", "port": 15012}],
    }
    where = f"{resource.place.namespace}/{resource.place.name}"
    status = {**UP, "by hand": [], "replaced": False, "where": where}
    place = Place(resource.place.namespace, resource.place.name)
    return Live({"metadata": {"labels": network}, "spec": spec}, "token", status=status, place=place)


def _registration(_key: Key, _resource: Resource[Any], _spec: Any, _attrs: dict[str, Any]) -> Live:
    return Live({}, "token", status={"approval": "ACCEPTED"})


LIVE = {
    "cert": _cert,
    "chart": _chart,
    "crds": _crds,
    "gateway": _gateway,
    "label": _label,
    "link": _link,
    "namespace": _namespace,
    "peer": _peer,
    "reader": _reader,
    "registration": _registration,
    "remote": _remote,
    "secret": _secret,
}
"""A healthy live object of each kind."""
