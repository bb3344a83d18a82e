"""Select contexts of the kubeconfig and choose names for their clusters."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from mesh.errors import UsageError

if TYPE_CHECKING:
    from mesh.config.starter import StarterCluster


def chosen(kubeconfig: Path | None, wanted: tuple[str, ...]) -> tuple[StarterCluster, ...]:
    """Return a cluster for each selected context, or for every context if none is selected."""
    from mesh.config.starter import StarterCluster, entries, label

    known = _contexts(kubeconfig)
    found: list[StarterCluster] = []
    for text in wanted:
        name, sign, context = text.partition("=")
        if text in known or not sign:
            found += entries([text])
        else:
            found.append(StarterCluster(label(name) or "cluster", context))
    if missing := [each.context for each in found if known and each.context not in known]:
        hint = f"the contexts are {', '.join(known[:8])}"
        raise UsageError(f"there is no context {missing[0]} in the kubeconfig", hint=hint)
    return tuple(found) if wanted else entries(known)


def _contexts(kubeconfig: Path | None) -> list[str]:
    """Return the names of all contexts in the order of the files; a missing file has none."""
    from mesh.config.source.load import load_foreign

    if kubeconfig:
        files = [kubeconfig]
    elif listed := os.environ.get("KUBECONFIG"):
        files = [Path(part) for part in listed.split(os.pathsep) if part]
    else:
        files = [Path.home() / ".kube" / "config"]
    names: dict[str, None] = {}
    for file in files:
        if kubeconfig or file.exists():
            match load_foreign(file):
                case {"contexts": list(contexts)}:
                    names |= {
                        str(each["name"]): None
                        for each in contexts
                        if isinstance(each, dict) and each.get("name")
                    }
    return list(names)


def shown(path: Path) -> str:
    """Return a path with `~` in place of the home folder, so that other people can use the mesh file."""
    absolute, home = path.absolute(), Path.home()
    return f"~/{absolute.relative_to(home)}" if absolute.is_relative_to(home) else str(absolute)
