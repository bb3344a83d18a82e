"""kubectl commands for a cluster of the mesh, as shell words."""

from __future__ import annotations

from mesh.cli.views.shell import command
from mesh.model.spec import Cluster

WAIT = "--timeout=300s"


def options(cluster: Cluster) -> tuple[str, ...]:
    """Return the options that select a cluster; with `=`, no name can be taken for an option."""
    named = (f"--kubeconfig={cluster.kubeconfig}",) if cluster.kubeconfig else ()
    return (f"--context={cluster.context}", *named)


def kubectl(cluster: Cluster, *words: str) -> str:
    """Return one kubectl command."""
    return command("kubectl", *options(cluster), *words)
