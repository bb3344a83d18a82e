"""The journal: the intent of each step on disk before it begins, the result after it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mesh.model import Action, Key, Place
from mesh.sdk.contract import OPEN, Last
from mesh.state.lockfile import Entry, State
from mesh.world.disk.json_lines import append_line, open_lines

if TYPE_CHECKING:
    pass


def with_intents(state: State, lines: tuple[Mapping[str, Any], ...]) -> State:
    """Add to a lock what a run that died had begun and not finished.

    An intent to create something unrecorded becomes an entry of status `open`; one on a recorded
    thing marks its entry. The next observation tells what became of it.
    """
    opened: dict[str, Mapping[str, Any]] = {}
    for line in lines:
        if line["event"] == "intent":
            opened[line["address"]] = line
        elif line["event"] == "done":
            opened.pop(line["address"], None)
        else:
            opened.clear()
    for address, line in opened.items():
        state = state.with_entry(key := Key.parse(address), _opened(state.entries.get(key), line))
    return state


def _opened(entry: Entry | None, line: Mapping[str, Any]) -> Entry:
    if entry:
        return replace(entry, last=replace(entry.last, status=OPEN))
    needs = frozenset(Key.parse(need) for need in line["needs"])
    created = line["action"] == Action.CREATE.name
    return Entry(Last(Place.read(*line["place"]), created=created, status=OPEN), needs)


@dataclass(slots=True)
class Journal:
    """Write-ahead intents of one run; used by the caller's thread only."""

    path: Path
    _handle: int = field(default=-1)

    def begin(self, run: str, serial: int) -> None:
        """Open the journal and note that a run starts."""
        self._handle = open_lines(self.path)
        append_line(self._handle, {"event": "begin", "run": run, "serial": serial})

    def intent(self, key: Key, action: Action, place: Place, needs: frozenset[Key]) -> None:
        """Put on disk what is about to be done."""
        line = {
            "event": "intent",
            "address": str(key),
            "action": action.name,
            "place": place.recorded(),
            "needs": sorted(str(need) for need in needs),
        }
        append_line(self._handle, line)

    def done(self, key: Key) -> None:
        """Note that a step's result is in the lockfile."""
        append_line(self._handle, {"event": "done", "address": str(key)})

    def end(self) -> None:
        """Close the run: nothing in it is left to be found out. The journal starts anew."""
        append_line(self._handle, {"event": "end"})
        os.close(self._handle)
        self._handle = -1
        self.path.unlink()
