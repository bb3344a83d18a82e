"""A toy kind over a world that is a few dicts, for the laws of the engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from threading import Lock
from typing import Any

import pytest

from mesh.config.decode import load_mesh
from mesh.engine import plan as planning
from mesh.engine.result import RunResult
from mesh.engine.run_options import RunOptions
from mesh.engine.session import Planned, Session
from mesh.engine.verbs import apply
from mesh.errors import KubeError
from mesh.model import Attrs, Found, Key, Live, Place, Resource, Unread, UnreadSecret
from mesh.model.diff import digest
from mesh.planner.inputs import PlanOptions
from mesh.sdk.contract import Last, Provider
from mesh.sdk.recorded_snapshot import recorded
from mesh.sdk.unreadable import as_left
from mesh.state.store import Store
from mesh.world import Object, World
from mesh.world.clock import SystemClock
from mesh.world.resources import CONFIG_MAP, NAMESPACE, ResourceType
from mesh.world.snapshot import Snapshot

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "two-clusters" / "mesh.yaml"
CLUSTERS = ("cluster1", "cluster2")


@dataclass
class Kube:
    """An API server that keeps objects, and beside them the toys; `broken` names toys it refuses to write."""

    cluster: str
    context: str = ""
    server: str = "https://toys.example"
    objects: dict[tuple[str, str, str], Object] = field(default_factory=dict)
    toys: dict[str, dict[str, Any]] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    down: bool = False
    hidden: bool = False
    writes: list[str] = field(default_factory=list)
    _uids: Any = field(default_factory=count)
    _lock: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        name = {"name": "kube-system", "uid": f"uid-of-{self.cluster}"}
        self.objects[NAMESPACE.plural, "", "kube-system"] = {"metadata": name}

    def within(self, _seconds: float) -> Kube:
        return self

    def list(self, resource: ResourceType, *, namespace: str = "", **_query: Any) -> list[Object]:
        self.answer()
        wanted = (resource.plural, namespace) if namespace else (resource.plural,)
        return [obj for where, obj in sorted(self.objects.items()) if where[: len(wanted)] == wanted]

    def get(self, resource: ResourceType, namespace: str, name: str) -> Object | None:
        return self.objects.get((resource.plural, namespace, name))

    def get_path(self, path: str) -> Object:
        raise KubeError(f"{path} is not served")

    def resource_of(self, obj: Object) -> ResourceType:
        raise KubeError(f"{obj['kind']} is not served")

    def apply(self, obj: Object, **_how: Any) -> Object:
        meta = obj["metadata"]
        self.objects[f"{obj['kind'].lower()}s", meta.get("namespace", ""), meta["name"]] = obj
        return obj

    create = replace = apply

    def delete(self, resource: ResourceType, namespace: str, name: str, *, uid: str = "") -> bool:
        return self.objects.pop((resource.plural, namespace, name), None) is not None

    def answer(self) -> None:
        if self.down:
            raise KubeError(f"{self.cluster} does not answer")

    def put(self, name: str, values: Mapping[str, Any], *, owner: str = "demo") -> None:
        """Make or change a toy."""
        with self._lock:
            if name in self.broken:
                raise KubeError(f"{name} is broken")
            before = self.toys.get(name, {"uid": f"uid-{next(self._uids)}", "owner": owner})
            self.toys[name] = {**before, "values": dict(values)}
            self.writes.append(name)


@dataclass(frozen=True)
class Toy:
    """Some values, of which `out` is given on to others."""

    values: Mapping[str, Any]


class ToyProvider(Provider[Toy]):
    """Toys."""

    kind = "toy"
    moves = frozenset({("values", "out")})

    def wanted(self, spec: Toy, live: Found, last: Last | None) -> Attrs:
        return {"values": dict(spec.values)}

    def observe(self, places: Mapping[Key, Place], snapshot: Snapshot) -> Mapping[Key, Found]:
        kube = toys(snapshot.world, snapshot.cluster)
        if kube.down:
            return dict.fromkeys(places, Unread("does not answer"))
        if kube.hidden:
            return {key: _veiled(recorded(snapshot, key)) for key in places}
        return {key: _live(kube.toys.get(place.name)) for key, place in places.items()}

    def create(self, spec: Toy, key: Key, world: World) -> None:
        toys(world, key.cluster).put(key.name, spec.values)

    def delete(self, key: Key, place: Place, live: Live, last: Last, world: World) -> tuple[str, ...]:
        kube = toys(world, key.cluster)
        if place.name in kube.broken:
            raise KubeError(f"{place.name} is broken")
        kube.toys.pop(place.name, None)
        kube.writes.append(f"-{place.name}")
        return ()


def _live(toy: dict[str, Any] | None) -> Found:
    if toy is None:
        return None
    attrs = {"values": dict(toy["values"])}
    outputs = {"out": toy["values"]["out"]} if "out" in toy["values"] else {}
    going = bool(toy.get("going"))
    return Live(attrs, f"{toy['uid']}:{digest(attrs)}", toy["uid"], outputs, owner=toy["owner"], going=going)


def _veiled(last: Last | None) -> Unread:
    """What those learn who may not read it: what was left there, if that is recorded."""
    return UnreadSecret("hidden", as_left(last)) if last and last.status == "ok" else Unread("hidden")


def toys(world: World, cluster: str) -> Kube:
    kube = world.kube(cluster)
    assert isinstance(kube, Kube)
    return kube


def open_session(folder: Path) -> Session:
    """A context at which toys can be planned and applied; its state is in the folder."""
    kubes = {name: Kube(name) for name in CLUSTERS}
    world = World(kubes, {}, SystemClock(), {}, folder)
    store = Store(folder / "mesh.lock")
    store.prepare()
    return Session(load_mesh(EXAMPLE), world, {"toy": ToyProvider()}, store)


def toy(
    name: str, cluster: str = "cluster1", needs: frozenset[Key] = frozenset(), **values: Any
) -> Resource[Toy]:
    return Resource(key(name, cluster), Place("", name), Toy(values), needs)


def key(name: str, cluster: str = "cluster1") -> Key:
    return Key("toy", cluster, name)


def plan(session: Session, *wanted: Resource[Toy], taken: frozenset[Key] = frozenset()) -> Planned:
    """Plan these toys and no others; what `mesh.engine.plan` does after the expansion."""
    options = PlanOptions(take=taken, destroy=not wanted)
    return planning.plan(session, {each.key: each for each in wanted}, options)


def carry_out(session: Session, planned: Planned, workers: int = 4) -> RunResult:
    return apply(session, planned, RunOptions(timeout=5, parallelism=workers))


class Ticking(SystemClock):
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        super().__init__()
        self.at = 0.0

    def monotonic(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += seconds


def without_config_maps(monkeypatch: pytest.MonkeyPatch, cluster: str) -> None:
    """Let an API server answer no list of ConfigMaps."""
    ordinary = Kube.list

    def refusing(kube: Kube, resource: ResourceType, **query: Any) -> list[Object]:
        if kube.cluster == cluster and resource == CONFIG_MAP:
            raise KubeError("the server is overloaded")
        return ordinary(kube, resource, **query)

    monkeypatch.setattr(Kube, "list", refusing)
