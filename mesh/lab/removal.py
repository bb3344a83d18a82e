"""Delete a lab: first its processes, then every file it created."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from mesh.lab import addresses, components, processes
from mesh.lab.record import SHARED, Cluster, Record


def end(known: Record) -> None:
    """Stop clients before servers: an API server that loses etcd takes minutes to exit."""
    every = [component for cluster in known.clusters for component in cluster.components]
    last = (component for component in every if component.name == components.ETCD)
    middle = (component for component in every if component.name == components.APISERVER)
    first = (one for one in (*every, *known.extras) if one.name not in components.FIRST)
    for group in (first, middle, last):
        processes.stop(component.argv for component in group)
    until = time.monotonic() + processes.GRACE
    while (
        not all(addresses.can_listen(cluster.port) for cluster in known.clusters) and time.monotonic() < until
    ):
        time.sleep(0.02)  # a process releases its port a little after it exits


def delete(folder: Path, clusters: tuple[Cluster, ...]) -> None:
    """Delete the lab's files in `folder`, and the folder if it is then empty."""
    for name in (*(cluster.name for cluster in clusters), SHARED, "kube-cache"):
        shutil.rmtree(folder / name, ignore_errors=True)
    for cluster in clusters:
        _forget_discovery(cluster)
    # The record is deleted after all but the lock: while it exists, another `down` can finish the work.
    for name in ("kubeconfig", ".kubeconfig.new", ".lab.json.new", "lab.json", "lock"):
        (folder / name).unlink(missing_ok=True)
    if not any(folder.iterdir()):
        folder.rmdir()


def _forget_discovery(cluster: Cluster) -> None:
    """Delete the discovery cache of kubectl and helm in the user's home for a deleted server."""
    stale = Path.home() / ".kube" / "cache" / "discovery" / f"127.0.0.1_{cluster.port}"
    shutil.rmtree(stale, ignore_errors=True)
