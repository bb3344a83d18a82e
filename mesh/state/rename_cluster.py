"""A cluster under another name: its record moves, the cluster stays what it is; pure."""

from __future__ import annotations

from dataclasses import replace

from mesh.errors import RefusedError
from mesh.model import Key
from mesh.model.spec import Mesh
from mesh.state.identity import FIXED, identities
from mesh.state.lockfile import Entry, State


def renamed(state: State, mesh: Mesh, old: str, new: str) -> State:
    """Move the record of `old` to `new`; raise RefusedError unless the file gives `new` the same identity."""
    before = state.clusters.get(old)
    if before is None:
        raise RefusedError(
            f"no cluster {old} is recorded",
            hint="`mesh state show` lists them; `mesh state rebuild` reads them",
        )
    if new in state.clusters:
        raise RefusedError(
            f"a cluster {new} is recorded already", hint="give the cluster a name that is free"
        )
    now = identities(mesh, {}).get(new)
    if now is None or old in {cluster.name for cluster in mesh.clusters}:
        raise RefusedError(
            f"the file must have cluster {new}, and {old} no more",
            hint=f"rename {old} to {new} in the file first",
        )
    differ = {
        field: getattr(before, attribute)
        for attribute, field in FIXED.items()
        if getattr(before, attribute) != getattr(now, attribute)
    }
    if differ:
        wanted = ", ".join(f"{field}: {value}" for field, value in differ.items())
        raise RefusedError(
            f"{new} would have another identity than {old}",
            hint=f"set {wanted} for cluster {new} in the file",
        )
    clusters = {name: who for name, who in state.clusters.items() if name != old}
    return replace(
        state,
        clusters={**clusters, new: replace(before, context=now.context, kubeconfig=now.kubeconfig)},
        entries={_moved(key, old, new): _entry(entry, old, new) for key, entry in state.entries.items()},
    )


def _moved(key: Key, old: str, new: str) -> Key:
    """A link is named for the cluster that it leads to."""
    name = new if key.kind == "link" and key.name == old else key.name
    return Key(key.kind, new if key.cluster == old else key.cluster, name)


def _entry(entry: Entry, old: str, new: str) -> Entry:
    return replace(entry, needs=frozenset(_moved(need, old, new) for need in entry.needs))
