"""The record of a lab on disk, written before any process starts."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from mesh.errors import LabError

FORMAT = 1

Istio = Literal["standin", "real", "none"]
"""Who acts as istiod: one process that plays it for all clusters, Istio itself, no one."""

#: Folder of the processes that serve all clusters, beside the folders of the clusters.
SHARED = "shared"


@dataclass(frozen=True, slots=True)
class Component:
    """One process: its name, its exact arguments (which identify it) and its environment."""

    name: str
    argv: tuple[str, ...]
    env: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Cluster:
    """One cluster: `block` numbers its addresses (see `mesh.lab.addresses`), `port` serves its API."""

    name: str
    block: int
    port: int
    components: tuple[Component, ...]

    @property
    def server(self) -> str:
        """The URL that clients use; a fault-injecting proxy could replace it."""
        return f"https://127.0.0.1:{self.port}"

    def component(self, name: str) -> Component:
        """Return the component `name`; raise `LabError` with the known names if there is none."""
        for component in self.components:
            if component.name == name:
                return component
        names = ", ".join(component.name for component in self.components)
        raise LabError(f"{self.name} has no component {name}", hint=f"known names: {names}")


@dataclass(frozen=True, slots=True)
class Record:
    """One lab. `bin` is its toolchain; `extras` are processes for all clusters (the stand-in)."""

    name: str
    prefix: str
    nodes: int
    bin: str
    clusters: tuple[Cluster, ...]
    extras: tuple[Component, ...]
    istio: Istio = "standin"

    def cluster(self, name: str) -> Cluster:
        """Return the cluster `name`; raise `LabError` with the known names if there is none."""
        for cluster in self.clusters:
            if cluster.name == name:
                return cluster
        names = ", ".join(cluster.name for cluster in self.clusters)
        raise LabError(f"lab {self.name} has no cluster {name}", hint=f"known names: {names}")


def write(path: Path, record: Record) -> None:
    """Replace the record at `path` atomically."""
    temporary = path.with_name(f".{path.name}.new")
    temporary.write_text(json.dumps({"format": FORMAT, **asdict(record)}, indent=1))
    temporary.replace(path)


def read(path: Path) -> Record | None:
    """Return the record at `path`, `None` if there is none; raise `LabError` if it is unreadable."""
    try:
        data = json.loads(path.read_text())
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise LabError(
            f"{path} cannot be read: {error}", hint="stop the lab's processes and delete its folder"
        ) from error
    if data["format"] != FORMAT:
        raise LabError(
            f"{path} was written by another version of mesh", hint="run mesh lab down with that version"
        )
    return Record(
        name=data["name"],
        prefix=data["prefix"],
        nodes=data["nodes"],
        bin=data["bin"],
        clusters=tuple(
            Cluster(one["name"], one["block"], one["port"], _components(one["components"]))
            for one in data["clusters"]
        ),
        extras=_components(data["extras"]),
        istio=data.get("istio", "standin"),
    )


def _components(data: list[dict[str, Any]]) -> tuple[Component, ...]:
    return tuple(
        Component(one["name"], tuple(one["argv"]), tuple((name, value) for name, value in one["env"]))
        for one in data
    )
