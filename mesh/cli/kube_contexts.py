"""Select contexts of the kubeconfig and choose names for their clusters."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from mesh.cli.say import say
from mesh.errors import UsageError
from mesh.model.printable import terminal
from mesh.sdk.shell import command

if TYPE_CHECKING:
    from mesh.config.starter import StarterCluster


def chosen(kubeconfig: Path | None, wanted: tuple[str, ...]) -> tuple[StarterCluster, ...]:
    """Return a cluster for each selected context, or for every context if none is selected.

    A context that a mesh file cannot name is an error if it is selected, and a warning otherwise.
    """
    from mesh.config.starter import StarterCluster, entries, is_nameable, label

    known = _contexts(kubeconfig)
    if not wanted:
        for each in known:
            if not is_nameable(each):
                say(f"Warning: {_odd(each)}; {_rename(each)}", err=True)
        return entries(known)
    found: list[StarterCluster] = []
    for text in wanted:
        name, sign, context = text.partition("=")
        named = text in known or not sign
        if not is_nameable(text if named else context):
            raise UsageError(_odd(text if named else context), hint=_rename(text if named else context))
        found += entries([text]) if named else [StarterCluster(label(name) or "cluster", context)]
    if missing := [each.context for each in found if known and each.context not in known]:
        hint = f"the contexts are {', '.join(known[:8])}"
        raise UsageError(f"there is no context {missing[0]} in the kubeconfig", hint=hint)
    names = [each.name for each in found]
    if twice := next((name for name in names if names.count(name) > 1), ""):
        raise UsageError(f"two contexts get the name {twice}", hint="name them: --context NAME=CONTEXT")
    return tuple(found)


def _odd(context: str) -> str:
    return f"context {terminal(context)!r} is left out: its name has a space, a $ or an invisible character"


def _rename(context: str) -> str:
    return f"rename it: {command('kubectl', 'config', 'rename-context', context, 'NEW-NAME')}"


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
            if file.is_file() and not file.read_bytes().strip():
                raise UsageError(
                    f"{file} is empty: it is a kubeconfig without contexts",
                    hint="name another one with --kubeconfig or KUBECONFIG, or let your cloud's tool fill it",
                )
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
