"""One resource by itself: from desired, live and recorded to a step, or none; pure."""

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
    """Return the step that brings one resource in sync; None if it is in sync and ready."""
    wanted = kind.wanted(spec, found, last)
    if found is None and (why := ask.awaited(kind, key)):
        return Step(Action.READ, key, Reason.UNHEALTHY, why=why)
    if found is None:
        was_there = last is not None and last.status == "ok"
        return Step(
            Action.CREATE,
            key,
            Reason.DRIFT if was_there else Reason.NEW,
            diff({}, wanted),
            why="deleted outside mesh since the last apply" if was_there else "",
        )
    fields = diff(ask.seen(kind, spec, found), wanted)
    return _change_or_wait(kind, spec, key, found, fields, last=last, now=now)


def step_as_recorded(
    kind: Provider[Any], spec: Any, key: Key, found: UnreadSecret, *, last: Last, now: datetime
) -> Step | None:
    """Return the step by the state entry alone; None if it is in sync and nothing visible contradicts it."""
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
    """Return the step for an existing resource: fix what differs, renew what is due, or wait for it."""
    fields = tuple(touched(each, found.touches) for each in differing)
    half = ask.unfinished(kind, spec, found) if last and last.status == OPEN else ""
    due = ask.due(kind, spec, found, now) or half
    if fields or due:
        action = Action.REPLACE if {each.path for each in fields} & kind.immutable else Action.UPDATE
        reason = why_differs(kind, fields, last) if fields or half else ask.renewed(kind)
        return Step(action, key, reason, fields, expects=found.token, why=due)
    return waiting_for(kind, spec, key, found)


def waiting_for(kind: Provider[Any], spec: Any, key: Key, found: Live) -> Step | None:
    """Return a step that waits until it is ready; None if it is."""
    ready = kind.ready(spec, found)
    return None if ready else Step(Action.READ, key, Reason.UNHEALTHY, expects=found.token, why=ready.why)
