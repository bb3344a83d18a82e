"""kubectl bound to a cluster of the mesh, as words of the shell."""

from __future__ import annotations

from mesh.cli.views.shell import command
from mesh.model.spec import Cluster

WAIT = "--timeout=300s"


def options(cluster: Cluster) -> tuple[str, ...]:
    """How kubectl reaches a cluster; `=` keeps a name from being taken for an option."""
    named = (f"--kubeconfig={cluster.kubeconfig}",) if cluster.kubeconfig else ()
    return (f"--context={cluster.context}", *named)


def kubectl(cluster: Cluster, *words: str) -> str:
    """Return one call of kubectl."""
    return command("kubectl", *options(cluster), *words)
