"""Decide what cannot be read by its state entry, and by what is visible of it elsewhere; pure.

The entry holds a digest of every applied value: enough to tell whether the file wants another value now, not
enough to show the live one, or what another writer has set beside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from mesh.errors import RefusedError
from mesh.model import (
    ABSENT,
    Action,
    Attrs,
    Field,
    Key,
    Path,
    Plan,
    Reason,
    Recorded,
    Sensitive,
    Step,
    Unknown,
    UnreadSecret,
)
from mesh.model.diff import digest, dotted, leaves
from mesh.sdk import ask
from mesh.sdk.contract import Last, Provider

RECORDED = Recorded()
NOTE = "as of the last apply: what it is now is in a Secret, which this identity may not read"
STAYS = "it existed before mesh and stays, without what mesh put into it"


def removal_as_recorded(kind: Provider[Any], key: Key, last: Last, reason: Reason) -> Step:
    """Return the step for a resource that is no longer wanted and cannot be read."""
    ours = last.fields if last.created else last.ours if ask.is_adoptable(kind) else ()
    fields = tuple(Field(parts(name), RECORDED, ABSENT) for name in sorted(ours))
    if last.created:
        return Step(Action.DELETE, key, reason, fields, notes=(NOTE,))
    if not fields:
        return Step(Action.FORGET, key, reason, why=ask.stays(kind), notes=(NOTE,))
    return Step(Action.UPDATE, key, reason, fields, why=STAYS, notes=(NOTE,))


def recorded_diff(wanted: Attrs, last: Last, strange: Attrs) -> tuple[Field, ...]:
    """Return what differs between what is wanted and what is recorded, in path order.

    `strange` are values that can be seen and are not the recorded ones. A secret has no digest in the
    record: it counts as the same.
    """
    before, after = dict(leaves(strange)) if strange else {}, dict(leaves(wanted)) if wanted else {}
    gone = {parts(name) for name in last.ours} - after.keys()
    return tuple(_differing(sorted({*before, *after, *gone}), before, after, last.fields))


def _differing(
    paths: list[Path], before: Mapping[Path, Any], after: Mapping[Path, Any], recorded: Mapping[str, str]
) -> Iterator[Field]:
    for path in paths:
        value, was = after.get(path, ABSENT), recorded.get(dotted(path))
        if path in before:
            if before[path] != value:
                yield Field(path, before[path], value)
        elif was is None:
            yield Field(path, ABSENT, value)
        elif not _same(value, was):
            yield Field(path, RECORDED, value)


def _same(value: Any, was: str) -> bool:
    if value is ABSENT or isinstance(value, Unknown):
        return False
    return "*" in (was, "*" if isinstance(value, Sensitive) else "") or digest(value) == was


def parts(name: str) -> Path:
    """The path that a dotted name of the record stands for: a part with a dot in it is in quotes."""
    return tuple(
        quoted or plain for quoted, plain in re.findall(r'"([^"]*)"(?:\.|$)|([^.]*)(?:\.|$)', name)[:-1]
    )


def owned(found: UnreadSecret, last: Last, mesh: str) -> UnreadSecret:
    """The same, with the mesh as the owner of what it made: the mark itself cannot be read."""
    return replace(found, seen=replace(found.seen, owner=mesh)) if last.created else found


def warning(keys: tuple[Key, ...]) -> tuple[str, ...]:
    """The words that say which clusters are judged so, if any."""
    if not keys:
        return ()
    clusters = ", ".join(sorted({key.cluster for key in keys}))
    what = "1 resource is" if len(keys) == 1 else f"{len(keys)} resources are"
    return (
        f"this identity may not read Secrets in {clusters}: {what} judged as of the last apply, by the "
        "record, the root of trust that is published and the workloads; values that others set are not seen",
    )


def refuse_as_recorded(plan: Plan) -> None:
    """Refuse to write on the strength of a record; raise RefusedError."""
    if plan.recorded:
        first, clusters = plan.recorded[0], sorted({key.cluster for key in plan.recorded})
        more = f" and {len(plan.recorded) - 1} more" if len(plan.recorded) > 1 else ""
        raise RefusedError(
            f"this identity may not list secrets in {', '.join(clusters)}, so {first}{more} can be planned "
            "as of the last apply, and not be changed",
            hint="`mesh rbac --for apply` prints the rights that an apply needs",
        )
