"""What is remembered of what was done, and whether what would be done is what was planned; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mesh.errors import StalePlanError
from mesh.model import Field, Key, Place, Resource, Step, Unknown
from mesh.sdk.contract import Provider


@dataclass(frozen=True, slots=True)
class Task:
    """One step with all that a worker needs to carry it out, but for outputs still to come."""

    step: Step
    kind: Provider[Any]
    place: Place
    resource: Resource[Any] | None
    needs: frozenset[Key] = frozenset()


def check_same(planned: Step, now: Step) -> None:
    """Raise StalePlanError unless the step that would run now is the one that was planned.

    What was known in the plan must be identical; what was unknown may have become any value.
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
