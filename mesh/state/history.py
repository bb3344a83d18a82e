"""The history of a mesh: the finished runs, as each cluster stores them; pure.

It is stored beside the slice, not in it: `mesh.lock` has no times, so that equal states are equal
bytes. A cluster keeps the newest runs, with the steps that concern it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from mesh.errors import StateError
from mesh.model import NO_CLUSTER, Key
from mesh.model.bounded_text import SMALL, Unfit, loads
from mesh.world.shapes import fitted

KEPT = 30
"""Number of runs that a cluster keeps."""

LONGEST = 100
"""Number of steps listed for one run in one cluster; `more` counts the rest."""

READ = 1_000
"""Number of runs that are read: far more than any version of mesh has kept."""

RUN = {
    **dict.fromkeys(("run!", "verb!", "who!", "host!", "began!", "ended!", "digest!", "end!"), str),
    "serial!": int,
    "deeds!": [{"sign!": str, "address!": str, "done": bool}],
    "more": int,
}
"""The types of one run, as `to_text` writes it."""

End = Literal["complete", "incomplete", "interrupted"]


@dataclass(frozen=True, slots=True)
class PastStep:
    """One step of a finished run: the plan's sign, the address, and whether it was done."""

    sign: str
    address: str
    done: bool = True


@dataclass(frozen=True, slots=True)
class PastRun:
    """One finished apply or destroy. Times are RFC 3339; `digest` is that of its plan."""

    run: str
    serial: int
    verb: str
    who: str
    host: str
    began: str
    ended: str
    digest: str
    end: End
    deeds: tuple[PastStep, ...] = ()
    more: int = 0

    def of(self, cluster: str) -> PastRun:
        """Return the run as one cluster keeps it."""
        # A ConfigMap holds 1 MiB, and the slice needs room in it too: runs and steps are both bounded.
        mine = self.only(cluster).deeds
        return replace(self, deeds=mine[:LONGEST], more=max(0, len(mine) - LONGEST))

    def only(self, cluster: str) -> PastRun:
        """Return the run with the steps of one cluster: its history says nothing of other clusters."""
        mine = tuple(each for each in self.deeds if _cluster_of(each) in {cluster, NO_CLUSTER})
        return replace(self, deeds=mine)


def _cluster_of(step: PastStep) -> str:
    """Return the cluster of a step; "" if its address is not one."""
    try:
        return Key.parse(step.address).cluster
    except ValueError:
        return ""


def added(text: str, past: PastRun) -> str:
    """Return the history with one more run; a history that cannot be read is replaced."""
    try:
        before = from_text(text, "")
    except StateError:
        before = ()  # no decision depends on the history: a damaged one must not fail a finished run
    # A run that writes twice is still listed once.
    kept = [each for each in before if each.run != past.run]
    return to_text([past, *kept][:KEPT])


def to_text(runs: Iterable[PastRun]) -> str:
    """Return runs as text, newest first: one line of JSON each."""
    return "".join(json.dumps(asdict(each), sort_keys=True) + "\n" for each in runs)


def from_text(text: str, where: str) -> tuple[PastRun, ...]:
    """Read runs; raise StateError if the text is not a history."""
    try:
        return tuple(_run(fitted(loads(line, SMALL), RUN)) for line in text.splitlines()[:READ])
    except (ValueError, TypeError) as error:
        hint = "the next apply starts a new one; nothing else depends on it"
        why = f": {error}" if isinstance(error, Unfit) else ""
        raise StateError(f"the history in {where} cannot be read{why}", hint=hint) from None


def _run(body: Mapping[str, Any]) -> PastRun:
    deeds = tuple(PastStep(**each) for each in body["deeds"])
    for each in deeds:
        Key.parse(each.address)
    return PastRun(**{**body, "deeds": deeds})


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One run as merged from all clusters; `clusters` are those that store it."""

    run: PastRun
    clusters: tuple[str, ...]


def joined(held: Mapping[str, Iterable[PastRun]]) -> tuple[HistoryEntry, ...]:
    """Merge the histories of the clusters: the newest serial first."""
    clusters: dict[str, list[str]] = {}
    runs: dict[str, PastRun] = {}
    for name in sorted(held):
        for each in held[name]:
            clusters.setdefault(each.run, []).append(name)
            runs[each.run] = _both(runs.get(each.run), each)
    order = sorted(runs.values(), key=lambda each: (each.serial, each.ended, each.run), reverse=True)
    return tuple(HistoryEntry(each, tuple(clusters[each.run])) for each in order)


def _both(one: PastRun | None, other: PastRun) -> PastRun:
    if one is None:
        return other
    deeds = {each.address: each for each in (*one.deeds, *other.deeds)}
    return replace(
        one, deeds=tuple(deeds[address] for address in sorted(deeds)), more=max(one.more, other.more)
    )
