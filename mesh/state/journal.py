"""The journal: the intent of each step is on disk before it begins, the result after it.

The order of writes is intent, cluster, lockfile, done. A crash between any two loses nothing:

* after the intent: the cluster may or may not have the object. The intent becomes an open entry, and
  the next run reads the object before it decides.
* after the cluster: the object exists and the lockfile does not know it. The open entry has its place,
  so it is found, not created twice and not left behind.
* after the lockfile: the entry is complete and only marked open; the next run observes it and closes it.
* after a removal is done: the lockfile no longer has the entry, and the copy in the cluster, which is written
  at the end of a run, still has it. If the cluster is restored from a backup now, its copy is not older than
  the one that it was given, so only the journal tells that what exists again is to be removed again.

In any other order one of these is lost: without the intent, an object that no record names.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from mesh.model import Action, Key, Place
from mesh.sdk.contract import OPEN, REMOVED, Last
from mesh.state.lockfile import Entry, State
from mesh.world.disk.files import naming
from mesh.world.disk.json_lines import append_line, open_lines


def with_intents(state: State, lines: tuple[Mapping[str, Any], ...]) -> State:
    """Return the state with the steps of a killed run that only the clusters know the result of.

    The intent to create an unrecorded resource becomes an entry of status `open`; one on a recorded
    resource marks its entry. What the run had removed becomes an entry of status `removed`. The next
    observation shows what happened to each.
    """
    opened: dict[str, Mapping[str, Any]] = {}
    ended: dict[str, Mapping[str, Any]] = {}
    for line in lines:
        if line["event"] == "intent":
            opened[line["address"]] = line
        elif line["event"] == "done":
            if (intent := opened.pop(line["address"], None)) is not None:
                ended[line["address"]] = intent
        else:
            # `begin` or `end`: a run writes the open intents of the run before it into its lockfile before
            # it begins (`Store.read`), so older lines are settled.
            opened.clear()
            ended.clear()
    for address, line in ended.items():
        if (key := Key.parse(address)) not in state.entries:
            entry = _opened(None, line)
            state = state.with_entry(key, replace(entry, last=replace(entry.last, status=REMOVED)))
    for address, line in opened.items():
        state = state.with_entry(key := Key.parse(address), _opened(state.entries.get(key), line))
    return state


def lineage_of(lines: tuple[Mapping[str, Any], ...]) -> str:
    """Return the lineage of the run that the lines are of; "" if none began, or an older version wrote them.

    A lockfile that is lost after a kill leaves its intents behind: without the lineage they would look like
    the state of another mesh of the same name.
    """
    begun = [line for line in lines if line["event"] == "begin"]
    return str(begun[-1].get("lineage", "")) if begun else ""


def _opened(entry: Entry | None, line: Mapping[str, Any]) -> Entry:
    """Return an entry as it is while the step is under way; lines of older versions name no fields."""
    created = bool(line.get("created", line["action"] == Action.CREATE.name))
    if entry is None:
        needs = frozenset(Key.parse(need) for need in line["needs"])
        uid = str(line.get("uid", ""))
        entry = Entry(Last(Place.read(*line["place"]), created=created, uid=uid), needs)
    fields = {**entry.last.fields, **line.get("fields", {})}
    theirs = frozenset(line.get("theirs", entry.last.theirs))
    created = entry.last.created or ("created" in line and created)
    return replace(
        entry, last=replace(entry.last, fields=fields, theirs=theirs, created=created, status=OPEN)
    )


@dataclass(slots=True)
class Journal:
    """Write-ahead intents of one run; used by the caller's thread only."""

    path: Path
    _handle: int = field(default=-1)

    def begin(self, run: str, serial: int, lineage: str) -> None:
        """Open the journal and record that a run starts, and of which history its state is."""
        self._handle = open_lines(self.path)
        append_line(self._handle, {"event": "begin", "run": run, "serial": serial, "lineage": lineage})

    def intent(self, key: Key, action: Action, entry: Entry) -> None:
        """Record on disk what is about to be done, and which fields the resource may have afterwards."""
        last = entry.last
        line = {
            "event": "intent",
            "address": str(key),
            "action": action.name,
            "place": last.place.recorded(),
            "needs": sorted(str(need) for need in entry.needs),
            "created": last.created,
            "uid": last.uid,
            "fields": dict(last.fields),
            "theirs": sorted(last.theirs),
        }
        append_line(self._handle, line)

    def done(self, key: Key) -> None:
        """Record that a step's result is in the lockfile."""
        append_line(self._handle, {"event": "done", "address": str(key)})

    def end(self) -> None:
        """Record the end of the run and remove the journal: no intent is open."""
        # The end is on disk before the file is removed: if a crash undoes the removal, the journal that
        # comes back has no open intent.
        append_line(self._handle, {"event": "end"})
        os.close(self._handle)
        self._handle = -1
        with naming(self.path):
            self.path.unlink()
