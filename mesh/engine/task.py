"""One step with all that a worker needs, and whether it is still the planned one; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mesh.engine.session import Planned, Session
from mesh.errors import StalePlanError
from mesh.model import Action, Field, Key, Place, Resource, Step, Unknown
from mesh.planner.inputs import places
from mesh.sdk.contract import Provider


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
    the owner of a field, may already have made some of them.
    """
    after = {each.path: each.after for each in planned.fields}
    unknown = [path for path, value in after.items() if isinstance(value, Unknown)]
    strange = [each for each in now.fields if not _foreseen(each, after, unknown)]
    if strange or planned.action is not now.action:
        paths = (
            ", ".join(each.dotted for each in strange[:3]) or f"now it would be {now.action.name.lower()}d"
        )
        raise StalePlanError(
            f"{now.key} changed since the plan was made ({paths})", hint="run `mesh plan` and look again"
        )


def _foreseen(each: Field, after: Mapping[tuple[str, ...], Any], unknown: list[tuple[str, ...]]) -> bool:
    if each.path in after and (each.path in unknown or after[each.path] == each.after):
        return True
    return any(each.path[: len(path)] == path for path in unknown)
