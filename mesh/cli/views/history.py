"""The history of a mesh as a table and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from typing import Any

from mesh.cli.views.escape import terminal
from mesh.cli.views.tables import table
from mesh.state.history import HistoryEntry, PastRun

FORMAT_VERSION = "1.0"
SHORT = len("sha256:") + 12
"""Number of characters of a digest to show."""

NOT_READ = "The history could not be read.\n"
NOTHING = "No runs yet: no cluster stores a history of this mesh.\n"

Json = dict[str, Any]


def history_text(entries: Iterable[HistoryEntry], unread: Mapping[str, str], *, steps: bool) -> str:
    """Return one row per run, newest first; with `steps`, the steps of each run below the table."""
    listed = tuple(entries)
    headers = ("serial", "when", "who", "verb", "end", "changes", "clusters", "digest")
    parts = [table(headers, map(_row, listed)) if listed else NOT_READ if unread else NOTHING]
    parts += (_steps(each.run) for each in listed if steps)
    parts += (
        f"cluster {terminal(name)} could not be read: {terminal(why)}\n" for name, why in unread.items()
    )
    return "\n".join(parts)


def _row(entry: HistoryEntry) -> tuple[object, ...]:
    run = entry.run
    who = f"{run.who}@{run.host}"
    clusters = ", ".join(entry.clusters)
    return run.serial, _when(run.ended), who, run.verb, run.end, _changes(run), clusters, run.digest[:SHORT]


def _when(time: str) -> str:
    return time.replace("+00:00", "Z")


def _changes(run: PastRun) -> str:
    """Return the number of steps per symbol, in the order of a plan's legend; unfinished steps separately."""
    done = Counter(each.sign for each in run.deeds if each.done)
    failed = sum(not each.done for each in run.deeds)
    parts = [f"{sign}{done[sign]}" for sign in ("+", "~", "-/+", "-", ".", "<=") if done[sign]]
    parts += [f"{failed} not done"] if failed else []
    parts += [f"{run.more} more"] if run.more else []
    return " ".join(parts) or "none"


def _steps(run: PastRun) -> str:
    return "".join(_step_lines(run))


def _step_lines(run: PastRun) -> Iterator[str]:
    times = f"{_when(run.began)} to {_when(run.ended)}"
    yield terminal(f"Serial {run.serial}, {run.verb}, {times}, {run.digest}") + "\n"
    for each in run.deeds:
        yield f"{terminal(each.sign):>3} {terminal(each.address)}{'' if each.done else ' (not done)'}\n"
    if run.more:
        yield f"    and {run.more} more\n"


def history_json(mesh: str, entries: Iterable[HistoryEntry], unread: Mapping[str, str]) -> Json:
    """Return the history as JSON data; the minor format version grows when a field is added."""
    return {
        "format_version": FORMAT_VERSION,
        "mesh": mesh,
        "runs": [{**asdict(each.run), "clusters": list(each.clusters)} for each in entries],
        "unread": dict(unread),
    }
