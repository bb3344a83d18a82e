"""The output of `mesh state show`: one row for the lockfile and one for each cluster."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace

from mesh.cli.views.tables import table
from mesh.engine.session import Session
from mesh.errors import MeshError, StateError
from mesh.model import NO_CLUSTER, Unread
from mesh.model.printable import json_text
from mesh.sdk.contract import OPEN
from mesh.state import slices
from mesh.state.lease_holder import look
from mesh.state.lockfile import ClusterIdentity, Entry, State
from mesh.walk import fan
from mesh.world.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Row:
    """The state in one place; `problem` if it is unreadable. `unfinished` counts interrupted steps."""

    where: str
    lineage: str = ""
    serial: int = 0
    run: str = ""
    resources: int = 0
    unfinished: int = 0
    locked: str = ""
    problem: str = ""


def shown(here: Session) -> str:
    """Return the rows as a table, followed by problems and locks."""
    rows = _rows(here)
    lines = [
        (row.where, row.lineage[:8], row.serial or "", row.run[:8], row.resources, row.unfinished)
        for row in rows
    ]
    text = table(("where", "lineage", "serial", "run", "resources", "unfinished"), lines)
    notes = [f"{row.where}: {note}\n" for row in rows for note in (row.problem, _lock_note(row)) if note]
    return text + "".join(["\n", *notes] if notes else [])


def shown_json(here: Session) -> str:
    """Return the rows as JSON."""
    return json_text([asdict(row) for row in _rows(here)], indent=2) + "\n"


def _lock_note(row: Row) -> str:
    return f"locked by {row.locked}" if row.locked else ""


def _rows(here: Session) -> list[Row]:
    local = _local(here)
    namespaces = {name: who.namespace for name, who in _recorded(here).items()}
    namespaces |= {each.name: each.namespace for each in here.mesh.clusters}
    found = fan(lambda name: _cluster(here, name, namespaces[name]), sorted(here.world.kubes))
    return [local, *found.values()]


def _local(here: Session) -> Row:
    where = here.store.path.name
    try:
        state = here.store.read(here.mesh.name)
    except StateError as error:
        return Row(where, problem=f"{error.message}; {error.hint}")
    return (
        _row(where, state, state.entries.values())
        if state.entries
        else Row(where, problem="the state is empty")
    )


def _recorded(here: Session) -> Mapping[str, ClusterIdentity]:
    try:
        return here.store.read(here.mesh.name).clusters
    except StateError:
        return {}


def _cluster(here: Session, name: str, namespace: str) -> Row:
    where = f"cluster {name}"
    try:
        where_it_is, snapshots = {name: namespace}, {name: Snapshot(name, here.world)}
        held = slices.read(here.mesh.name, where_it_is, snapshots)
        silent = slices.unread(where_it_is, snapshots).get(name, "")
        seen = look(here.mesh.name, here.world.kube(name))
    except MeshError as error:
        return Row(where, problem=f"{error.message}; {error.hint}")
    state, by = held.get(name), str(seen or "")
    if silent:
        return Row(where, locked=by, problem=f"its copy of the state could not be read: {silent}")
    if isinstance(state, Unread):
        return Row(where, locked=by, problem=state.why)
    if state is None:
        return Row(where, locked=by, problem="stores no copy of the state")
    entries = [entry for key, entry in state.entries.items() if key.cluster == name]
    return replace(_row(where, state, entries), locked=by, problem=_foreign(name, state))


def _foreign(name: str, state: State) -> str:
    """Return which resources of other clusters a copy names, although it speaks of its own cluster only."""
    own = {name, NO_CLUSTER, *state.clusters}
    keys = sorted(str(key) for key in state.entries if key.cluster not in own)
    return (
        f"its copy of the state names resources of other clusters, which are ignored: {', '.join(keys[:3])}"
        if keys
        else ""
    )


def _row(where: str, state: State, entries: Iterable[Entry]) -> Row:
    held = list(entries)
    unfinished = sum(entry.last.status == OPEN for entry in held)
    return Row(where, state.lineage, state.serial, state.run, len(held), unfinished)
