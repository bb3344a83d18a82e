"""Why a step is needed: what became of each field since mesh last wrote it, and who wrote it; pure."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mesh.model import ABSENT, Field, Reason, Recorded, Touch, Unknown
from mesh.model.diff import digest, dotted
from mesh.sdk import ask
from mesh.sdk.contract import Last, Provider


def touched(each: Field, touches: tuple[Touch, ...]) -> Field:
    """Return the field with its last writer: its own, a list's around it, or the object's if it is gone."""
    around = [touch for touch in touches if touch.path and each.path[: len(touch.path)] == touch.path]
    if around:
        return replace(each, touch=max(around, key=lambda touch: len(touch.path)))
    last_writer = next((touch for touch in touches if not touch.path), None)
    return replace(each, touch=last_writer) if each.before is ABSENT and last_writer else each


def why_differs(kind: Provider[Any], fields: tuple[Field, ...], last: Last | None) -> Reason:
    """Return what made a resource differ: the file, another writer, or a value from another resource."""
    if {each.path for each in fields} & ask.confirmed(kind):
        return Reason.MOVES
    if last is None:
        return Reason.ADOPT
    if last.status != "ok":
        return Reason.RECOVER
    outside = [each for each in fields if any(each.path[: len(path)] == path for path in kind.rendered)]
    inside = [each for each in fields if each not in outside]
    if any(_config_changed(each, last) for each in inside):
        return Reason.CONFIG
    return Reason.DRIFT if outside or any(_drifted(each, last) for each in inside) else Reason.FOLLOWS


def _config_changed(each: Field, last: Last) -> bool:
    """Whether the desired value differs from the one last applied."""
    recorded = last.fields.get(dotted(each.path))
    if each.after is ABSENT:
        return recorded is not None
    return not isinstance(each.after, Unknown) and recorded not in {digest(each.after), "*"}


def _drifted(each: Field, last: Last) -> bool:
    """Whether the live value differs from the one last applied."""
    recorded = last.fields.get(dotted(each.path))
    if isinstance(each.before, Recorded):
        return False
    if each.before is ABSENT or (each.after is ABSENT and recorded is None):
        return True
    return recorded not in {digest(each.before), "*", None}
