"""Which kubeconfigs a run may use: a person or the pipeline chooses credentials, not a lockfile."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from mesh.errors import RefusedError
from mesh.model.printable import quoted
from mesh.world.disk.input_file import outside
from mesh.world.kube.kubeconfig import Clusters, paths
from mesh.world.untrusted import checkout, is_untrusted


def check_recorded(cluster: str, recorded: str, named: Collection[str], env: Mapping[str, str]) -> None:
    """Raise RefusedError if only the lockfile names the kubeconfig of a cluster that left the mesh file.

    A kubeconfig runs programs (`exec`), and its contexts choose the cluster. Who may edit a lockfile may
    not choose either.
    """
    if not recorded:
        return
    here = (*(Path(each) for each in named if each), *paths("", env))
    known = {each.expanduser().resolve() for each in here}
    if Path(recorded).expanduser().resolve() in known:
        return
    raise RefusedError(
        f"cluster {cluster} left the mesh file, and only mesh.lock names its kubeconfig {recorded}",
        hint=f"after a look at that file, add it to KUBECONFIG: {quoted(recorded)}; or drop the record: "
        f"mesh state forget --cluster {quoted(cluster)}",
    )


def check_kubeconfigs(clusters: Clusters, env: Mapping[str, str], folder: Path) -> None:
    """Raise RefusedError for a kubeconfig inside the checkout of an untrusted mesh file."""
    if not is_untrusted(env):
        return
    root = checkout(folder)
    for name, _, kubeconfig in clusters:
        for path in paths(kubeconfig, env):
            if not outside(path, root) or not outside(path.absolute().parent, root):
                raise RefusedError(
                    f"cluster {name}: kubeconfig {path} is inside the checkout, which is untrusted",
                    hint="keep the pipeline's kubeconfig outside the checkout, and name it in KUBECONFIG",
                )
