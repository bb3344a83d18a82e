"""One resource by itself: wanted, found and recorded to its step, or to none; pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from mesh.model import Action, Field, Key, Live, Reason, Step, UnreadSecret
from mesh.model.diff import diff
from mesh.planner.from_record import NOTE, recorded_diff
from mesh.planner.reason import touched, why_differs
from mesh.sdk import ask
from mesh.sdk.contract import OPEN, Last, Provider


def step_for(
    kind: Provider[Any], spec: Any, key: Key, found: Live | None, last: Last | None, now: datetime
) -> Step | None:
    """Decide one resource by itself; None if it is as wanted and ready."""
    wanted = kind.wanted(spec, found, last)
    if found is None and (why := ask.awaited(kind, key)):
        return Step(Action.READ, key, Reason.UNHEALTHY, why=why)
    if found is None:
        fields = diff({}, wanted)
        return Step(
            Action.CREATE,
            key,
            Reason.DRIFT if last and last.status == "ok" else Reason.NEW,
            fields,
            why="it was there at the last apply and is gone: deleted outside mesh"
            if last and last.status == "ok"
            else "",
        )
    fields = diff(ask.seen(kind, spec, found), wanted)
    return _change_or_wait(kind, spec, key, found, fields, last=last, now=now)


def step_as_recorded(
    kind: Provider[Any], spec: Any, key: Key, found: UnreadSecret, *, last: Last, now: datetime
) -> Step | None:
    """Decide one resource by its record; None if that is as wanted and nothing visible speaks against it."""
    fields = recorded_diff(kind.wanted(spec, None, None), last, found.strange)
    step = _change_or_wait(kind, spec, key, found.seen, fields, last=last, now=now)
    return replace(step, notes=(NOTE,)) if step else None


def _change_or_wait(
    kind: Provider[Any],
    spec: Any,
    key: Key,
    found: Live,
    differing: tuple[Field, ...],
    *,
    last: Last | None,
    now: datetime,
) -> Step | None:
    """Decide what is there: mend what differs, make anew what is due, wait for what does not work."""
    fields = tuple(touched(each, found.touches) for each in differing)
    half = ask.unfinished(kind, spec, found) if last and last.status == OPEN else ""
    due = ask.due(kind, spec, found, now) or half
    if fields or due:
        action = Action.REPLACE if {each.path for each in fields} & kind.immutable else Action.UPDATE
        reason = why_differs(kind, fields, last) if fields or half else ask.renewed(kind)
        return Step(action, key, reason, fields, expects=found.token, why=due)
    return waiting_for(kind, spec, key, found)


def waiting_for(kind: Provider[Any], spec: Any, key: Key, found: Live) -> Step | None:
    """Wait for what is there and does not work yet; None if it does."""
    ready = kind.ready(spec, found)
    return None if ready else Step(Action.READ, key, Reason.UNHEALTHY, expects=found.token, why=ready.why)
