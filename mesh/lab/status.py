"""The status of a lab: running, crashed and ready components."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from mesh.lab import boot, processes
from mesh.lab.api import Api, connect
from mesh.lab.record import SHARED, Cluster, Component, Record


class State(Enum):
    """The state of a process."""

    UP = "up"
    STOPPED = "stopped"  # by `Lab.stop`
    CRASHED = "crashed"


@dataclass(frozen=True, slots=True)
class ProcessStatus:
    """One process: `pid` is 0 if it does not run; `rss` is its resident memory in bytes."""

    name: str
    state: State
    pid: int
    rss: int


@dataclass(frozen=True, slots=True)
class ClusterStatus:
    """One cluster; `ready` means that its API server and all of its nodes are ready."""

    name: str
    server: str
    ready: bool
    processes: tuple[ProcessStatus, ...]

    @property
    def rss(self) -> int:
        """Resident memory of all processes, in bytes."""
        return sum(process.rss for process in self.processes)


@dataclass(frozen=True, slots=True)
class LabStatus:
    """One lab; `extras` are the processes that serve all of its clusters."""

    name: str
    folder: Path
    clusters: tuple[ClusterStatus, ...]
    extras: tuple[ProcessStatus, ...]

    @property
    def up(self) -> bool:
        """Whether every process runs and every cluster is ready."""
        return (
            bool(self.clusters)
            and all(cluster.ready for cluster in self.clusters)
            and not any(self.not_running())
        )

    def not_running(self) -> Iterator[tuple[str, ProcessStatus]]:
        """Every process that does not run, with the name of its cluster ("-": of the lab)."""
        groups = [(cluster.name, cluster.processes) for cluster in self.clusters] + [("-", self.extras)]
        for name, group in groups:
            yield from ((name, process) for process in group if process.state is not State.UP)


def look(folder: Path, record: Record) -> LabStatus:
    """Return the status of the lab in `folder`, from the process table and two requests per cluster."""
    live = processes.table()
    return LabStatus(
        name=record.name,
        folder=folder,
        clusters=tuple(
            _cluster(folder / cluster.name, cluster, record.nodes, live) for cluster in record.clusters
        ),
        extras=tuple(_process(folder / SHARED, component, live) for component in record.extras),
    )


def _cluster(
    folder: Path, cluster: Cluster, nodes: int, live: tuple[processes.Running, ...]
) -> ClusterStatus:
    pki = folder / "pki"
    ready = (pki / "admin.key").exists() and _is_ready(connect(cluster.port, pki), nodes)
    states = tuple(_process(folder, component, live) for component in cluster.components)
    return ClusterStatus(cluster.name, cluster.server, ready, states)


def _is_ready(api: Api, nodes: int) -> bool:
    return api.ask("GET", "/readyz").status == 200 and boot.nodes_ready(api, nodes)


def _process(folder: Path, component: Component, live: tuple[processes.Running, ...]) -> ProcessStatus:
    found = processes.matching(component.argv, live)
    if found:
        return ProcessStatus(component.name, State.UP, found[0].pid, found[0].rss)
    stopped = (folder / f"{component.name}.stopped").exists()
    return ProcessStatus(component.name, State.STOPPED if stopped else State.CRASHED, 0, 0)
