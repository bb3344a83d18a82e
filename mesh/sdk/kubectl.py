"""kubectl commands for a cluster of the mesh, as shell words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mesh.model.spec import Cluster
from mesh.sdk.shell import command, heredoc
from mesh.world.yaml_documents import write

WAIT = "--timeout=300s"


def options(cluster: Cluster) -> tuple[str, ...]:
    """Return the options that select a cluster; with `=`, no name can be taken for an option."""
    named = (f"--kubeconfig={cluster.kubeconfig}",) if cluster.kubeconfig else ()
    return (f"--context={cluster.context}", *named)


def kubectl(cluster: Cluster, *words: str) -> str:
    """Return one kubectl command."""
    return command("kubectl", *options(cluster), *words)


def kubectl_apply(cluster: Cluster, body: Mapping[str, Any]) -> str:
    """Return the command that applies an object; its YAML is on stdin."""
    return heredoc(kubectl(cluster, "apply", "-f", "-"), write(body))


def unmarked(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the object without labels of mesh: mesh does not manage what the script creates."""
    meta = dict(body["metadata"])
    for section in ("labels", "annotations"):
        kept = {name: text for name, text in meta[section].items() if not name.startswith("meshform.io/")}
        meta = (
            {**meta, section: kept}
            if kept
            else {name: each for name, each in meta.items() if name != section}
        )
    return {**body, "metadata": meta}
