"""Why a step is there: what became of each field since we last wrote it, and who wrote it; pure."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mesh.model import ABSENT, Field, Reason, Recorded, Touch, Unknown
from mesh.model.diff import digest, dotted
from mesh.sdk import ask
from mesh.sdk.contract import Last, Provider


def touched(each: Field, touches: tuple[Touch, ...]) -> Field:
    """Say who wrote a field last: its own writer, that of a list around it, or of the whole if it is gone."""
    around = [touch for touch in touches if touch.path and each.path[: len(touch.path)] == touch.path]
    if around:
        return replace(each, touch=max(around, key=lambda touch: len(touch.path)))
    last_writer = next((touch for touch in touches if not touch.path), None)
    return replace(each, touch=last_writer) if each.before is ABSENT and last_writer else each


def why_differs(kind: Provider[Any], fields: tuple[Field, ...], last: Last | None) -> Reason:
    """Say who or what made something differ: the wish, somebody else, or a value it takes."""
    if {each.path for each in fields} & ask.confirmed(kind):
        return Reason.MOVES
    if last is None:
        return Reason.ADOPT
    if last.status != "ok":
        return Reason.RECOVER
    if any(_wish_changed(each, last) for each in fields):
        return Reason.CONFIG
    return Reason.DRIFT if any(_drifted(each, last) for each in fields) else Reason.FOLLOWS


def _wish_changed(each: Field, last: Last) -> bool:
    """Whether we want something else than we wanted last time."""
    recorded = last.fields.get(dotted(each.path))
    if each.after is ABSENT:
        return recorded is not None
    return not isinstance(each.after, Unknown) and recorded not in {digest(each.after), "*"}


def _drifted(each: Field, last: Last) -> bool:
    """Whether what is there is not what we put there."""
    recorded = last.fields.get(dotted(each.path))
    if isinstance(each.before, Recorded):
        return False
    if each.before is ABSENT or (each.after is ABSENT and recorded is None):
        return True
    return recorded not in {digest(each.before), "*", None}
