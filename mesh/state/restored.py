"""Clusters restored from a backup: their copy of the state is older than the last one they were given; pure.

Such a cluster has again what mesh removed since the backup, and its copy names it. What a run removed and was
killed before it wrote the copy is named by its journal: an entry of status `removed`.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from dataclasses import replace

from mesh.model import Found, Key, Live
from mesh.sdk.contract import REMOVED
from mesh.state.lockfile import Entry, State


def restored(recorded: State, parts: Mapping[str, State]) -> dict[str, State]:
    """Return the copies that are older than the last one that the cluster was given."""
    return {name: part for name, part in parts.items() if part.serial < recorded.written.get(name, 0)}


def with_restored(state: State, old: Mapping[str, State], wanted: Container[Key]) -> State:
    """Return the state with what these clusters have again, and the file does not want.

    It has the uid that it had at the backup. Whether it exists, and is of this mesh, the cluster says.
    """
    for key, entry in _own(old):
        if key not in wanted:
            known = state.entries.get(key)
            last = replace(known.last, uid=entry.last.uid) if known else entry.last
            state = state.with_entry(key, replace(known or entry, last=last))
    return state


def without_removed(state: State, found: Mapping[Key, Found], among: Container[Key]) -> State:
    """Return the state without those of some resources that a killed run removed and that do not exist.

    Before a run these are the wanted ones, which are created; after it, all that it has looked for.
    """
    return replace(
        state,
        entries={
            key: entry
            for key, entry in state.entries.items()
            if key not in among or not is_gone(entry, found.get(key))
        },
    )


def is_gone(entry: Entry, found: Found) -> bool:
    """Whether it was removed by a killed run and does not exist; what cannot be read may exist."""
    return entry.last.status == REMOVED and found is None


def exists_again(state: State, found: Mapping[Key, Found]) -> tuple[str, ...]:
    """Return a warning for what exists although a killed run had removed it."""
    again = (
        key
        for key, entry in sorted(state.entries.items())
        if entry.last.status == REMOVED and isinstance(found.get(key), Live)
    )
    return tuple(
        f"{key} exists again, although the last run removed it before it was stopped: cluster {key.cluster} "
        "was restored from a backup, or another program created it"
        for key in again
    )


def _own(old: Mapping[str, State]) -> Iterator[tuple[Key, Entry]]:
    for name, part in sorted(old.items()):
        yield from ((key, entry) for key, entry in sorted(part.entries.items()) if key.cluster == name)


def told(recorded: State, old: Mapping[str, State]) -> tuple[str, ...]:
    """Return a warning for each restored cluster."""
    return tuple(
        f"cluster {name} was restored from a backup: its copy of the state has serial {part.serial}, it was "
        f"given one with serial {recorded.written[name]}; what mesh removed since then exists again"
        for name, part in sorted(old.items())
    )
