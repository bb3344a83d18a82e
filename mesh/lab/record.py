"""What a lab consists of, as it stands on disk before anything is started."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mesh.errors import LabError

FORMAT = 1

#: The folder, beside those of the clusters, of the processes that serve the whole lab.
SHARED = "shared"


@dataclass(frozen=True, slots=True)
class Component:
    """One process: its name, its exact arguments (by which it is found again) and its environment."""

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
        """The URL that clients use. A fault-injecting proxy would put its own address here."""
        return f"https://127.0.0.1:{self.port}"

    def component(self, name: str) -> Component:
        """The component called `name`; raises `LabError` naming those there are."""
        for component in self.components:
            if component.name == name:
                return component
        names = ", ".join(component.name for component in self.components)
        raise LabError(f"{self.name} has no component {name}", hint=f"there are {names}")


@dataclass(frozen=True, slots=True)
class Record:
    """One lab. `bin` is its toolchain, `extras` are processes that serve all clusters (the stand-in)."""

    name: str
    prefix: str
    nodes: int
    bin: str
    clusters: tuple[Cluster, ...]
    extras: tuple[Component, ...]

    def cluster(self, name: str) -> Cluster:
        """The cluster called `name`; raises `LabError` naming those there are."""
        for cluster in self.clusters:
            if cluster.name == name:
                return cluster
        names = ", ".join(cluster.name for cluster in self.clusters)
        raise LabError(f"lab {self.name} has no cluster {name}", hint=f"there are {names}")


def write(path: Path, record: Record) -> None:
    """Replace the record at `path`, whole or not at all."""
    temporary = path.with_name(f".{path.name}.new")
    temporary.write_text(json.dumps({"format": FORMAT, **asdict(record)}, indent=1))
    temporary.replace(path)


def read(path: Path) -> Record | None:
    """The record at `path`; `None` when there is none. Raises `LabError` when it cannot be read."""
    try:
        data = json.loads(path.read_text())
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise LabError(
            f"{path} cannot be read: {error}", hint="end the lab's processes and delete its folder"
        ) from error
    if data["format"] != FORMAT:
        raise LabError(
            f"{path} was written by another version of mesh", hint="take the lab down with that version"
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
    )


def _components(data: list[dict[str, Any]]) -> tuple[Component, ...]:
    return tuple(
        Component(one["name"], tuple(one["argv"]), tuple((name, value) for name, value in one["env"]))
        for one in data
    )
