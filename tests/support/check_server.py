"""An API server in memory that answers the reads of the checks, and counts them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from mesh.errors import KubeError
from mesh.world import Object, World
from mesh.world.clock import SystemClock
from mesh.world.kube.errors import Call
from mesh.world.resources import ResourceType
from mesh.world.snapshot import Snapshot
from tests.support.check_facts import NOW

CALL = Call("cluster1", "cluster1", "list", "things")
"""The request of an error; its text begins with it."""


class Stopped(SystemClock):
    """A clock that stands still."""

    def now(self) -> datetime:
        return NOW


@dataclass
class Server:
    """Objects by plural; `fails` are errors of reads by plural or path, `answer` that of a dry run."""

    objects: dict[str, list[Object]] = field(default_factory=dict)
    paths: Mapping[str, Object] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    fails: Mapping[str, Exception] = field(default_factory=dict)
    answer: Exception | None = None
    asked: list[str] = field(default_factory=list)
    limits: list[float] = field(default_factory=list)

    def within(self, seconds: float) -> Server:
        self.limits.append(seconds)
        return self

    def time(self) -> datetime:
        return NOW

    def list(self, resource: ResourceType, *, namespace: str = "", **_query: Any) -> list[Object]:
        self._fail(resource.plural)
        found = self.objects.get(resource.plural, [])
        return [obj for obj in found if namespace in {"", obj["metadata"].get("namespace")}]

    def get_path(self, path: str) -> Object:
        self._fail(path)
        return self.paths[path]

    def get_text(self, path: str) -> str:
        self._fail(path)
        if path not in self.texts:
            raise KubeError("connection refused")
        return self.texts[path]

    def port_text(self, namespace: str, pod: str, port: int, asked: str) -> str:
        return self.get_text(f"/api/v1/namespaces/{namespace}/pods/{pod}:{port}/{asked}")

    def apply(self, obj: Object, *, dry_run: bool = False, **_how: Any) -> Object:
        assert dry_run, "a check writes nothing"
        assert self.limits, "a dry run is sent once"
        self.asked.append(f"dry run of {obj['kind']}")
        if self.answer is not None:
            raise self.answer
        return obj

    def _fail(self, what: str) -> None:
        self.asked.append(what)
        if what in self.fails:
            raise self.fails[what]


def snapshot(server: Any, cluster: str = "cluster1") -> Snapshot:
    """The cluster that a server stands for, not yet read."""
    return Snapshot(cluster, World({cluster: server}, {}, Stopped(), {}, Path()))
