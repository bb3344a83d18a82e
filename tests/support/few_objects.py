"""A snapshot of a cluster that has a few objects."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mesh.world import Object, World
from mesh.world.clock import SystemClock
from mesh.world.resources import ResourceType
from mesh.world.snapshot import Snapshot


class Answers:
    """An API server with a few objects, by the plural of their type; labels are not selected by."""

    def __init__(self, objects: dict[str, list[Object]]) -> None:
        self.objects = objects

    def list(self, resource: ResourceType, **_query: Any) -> list[Object]:
        return self.objects.get(resource.plural, [])

    def get_path(self, _path: str) -> Object:
        return {"resources": []}


def snapshot(**objects: list[Object]) -> Snapshot:
    """A cluster `a` with some objects."""
    return Snapshot("a", World({"a": Answers(objects)}, {}, SystemClock(), {}, Path()))
