"""One step with all that a worker needs, and whether it is still the planned one; pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from mesh.engine.session import Planned, Session
from mesh.errors import StalePlanError
from mesh.model import ABSENT, Action, Field, Key, Place, Recorded, Resource, Step, Unknown
from mesh.planner.inputs import places
from mesh.sdk.contract import Provider

MOST, LONGEST = 10, 200
"""How many fields, and how many characters of a value, a message shows."""


@dataclass(frozen=True, slots=True)
class Task:
    """One step with all that a worker needs to carry it out, but for outputs still to come."""

    step: Step
    kind: Provider[Any]
    place: Place
    resource: Resource[Any] | None
    needs: frozenset[Key] = frozenset()


def tasks_of(session: Session, planned: Planned) -> dict[Key, Task]:
    """Return one task per step, and one per unchanged resource (which is recorded, not run)."""
    inputs = planned.inputs
    tasks: dict[Key, Task] = {}
    steps = {step.key: step for step in planned.plan.steps}
    where = places(inputs.resources, planned.state)
    for key in [*planned.decisions.unchanged, *steps]:
        step = steps.get(key) or Step(Action.NOOP, key)
        needs = inputs.edges.get(key, frozenset())
        tasks[key] = Task(step, session.kinds[key.kind], where[key], inputs.resources.get(key), needs)
    return tasks


def check_same(planned: Step, now: Step) -> None:
    """Raise StalePlanError unless the step that would run now is the one that was planned.

    What the plan showed must be identical: a person agreed to these values and no others. What it called
    unknown may have become any value. Fewer changes than planned are allowed: an earlier attempt, or
    the owner of a field, may already have made some of them. Whatever else of the object moved, such as
    its status or the fields of other writers, is in no field of a step.
    """
    if planned.action is not now.action:
        raise _stale(now, [f"reviewed: {planned.action.name.lower()}, now: {now.action.name.lower()}"])
    reviewed = {each.path: each for each in planned.fields}
    unknown = [each.path for each in planned.fields if isinstance(each.after, Unknown)]
    strange = [each for each in now.fields if not _foreseen(each, reviewed, unknown)]
    if strange:
        lines = [_side_by_side(reviewed.get(each.path), each) for each in strange[:MOST]]
        lines += [f"and {len(strange) - MOST} more fields"] if len(strange) > MOST else []
        raise _stale(now, lines)


def _stale(now: Step, lines: Iterable[str]) -> StalePlanError:
    text = "\n".join(f"  {line}" for line in lines)
    return StalePlanError(
        f"{now.key} changed since the plan was made:\n{text}", hint="run `mesh plan` and look again"
    )


def _side_by_side(planned: Field | None, now: Field) -> str:
    """Return a field as it was reviewed, as it is now, and as it would become, and who changed it."""
    reviewed = f"{_shown(planned.before)} -> {_shown(planned.after)}" if planned else "no change"
    by = f", changed by {now.touch.manager} at {now.touch.time}" if now.touch else ""
    return f"{now.dotted}: reviewed {reviewed}; live {_shown(now.before)}; new {_shown(now.after)}{by}"


def _shown(value: Any) -> str:
    if value is ABSENT:
        return "(absent)"
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _foreseen(each: Field, reviewed: Mapping[tuple[str, ...], Field], unknown: list[tuple[str, ...]]) -> bool:
    if any(each.path[: len(path)] == path for path in unknown):
        return True
    planned = reviewed.get(each.path)
    if planned is None or planned.after != each.after:
        return False
    return isinstance(planned.before, Recorded) or planned.before == each.before
