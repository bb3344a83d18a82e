"""Take a lab down: its processes first, then every file it made."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from mesh.lab import addresses, components, processes
from mesh.lab.record import SHARED, Cluster, Record


def end(known: Record) -> None:
    """Stop clients before servers: an API server that loses etcd first takes minutes to give up."""
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
        time.sleep(0.02)  # an ended process lets go of its port a little later


def delete(folder: Path, clusters: tuple[Cluster, ...]) -> None:
    """Delete what the lab wrote into `folder`, and the folder unless somebody else put something there."""
    for name in (*(cluster.name for cluster in clusters), SHARED, "kube-cache"):
        shutil.rmtree(folder / name, ignore_errors=True)
    for cluster in clusters:
        _forget_discovery(cluster)
    # The record goes last but for the lock: while it is there, another `down` can finish the work.
    for name in ("kubeconfig", ".kubeconfig.new", ".lab.json.new", "lab.json", "lock"):
        (folder / name).unlink(missing_ok=True)
    if not any(folder.iterdir()):
        folder.rmdir()


def _forget_discovery(cluster: Cluster) -> None:
    """Delete what kubectl and helm keep in the user's home about a server that is gone for good."""
    stale = Path.home() / ".kube" / "cache" / "discovery" / f"127.0.0.1_{cluster.port}"
    shutil.rmtree(stale, ignore_errors=True)
