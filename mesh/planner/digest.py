"""The order of a plan's steps, and the digest by which a reviewed plan is recognised; pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from mesh.model import Action, Key, Left, Sensitive, Step
from mesh.model.diff import dotted
from mesh.model.fingerprint import fingerprint
from mesh.planner.decisions import Steps


def in_order(steps: Steps, order: tuple[Key, ...]) -> tuple[Step, ...]:
    """List removals first, as they were decided (each after its users), then the rest by `order`."""
    wanted = set(order)
    removals = [key for key in steps if key not in wanted]
    return tuple(steps[key] for key in [*removals, *order] if key in steps)


def plan_digest(
    steps: tuple[Step, ...], kept: Iterable[Left] = (), keys: Mapping[str, bytes] | None = None
) -> str:
    """Return a digest over what the steps do and what is left to other owners.

    A hidden value counts by its fingerprint under the key of its cluster; `keys` are by cluster.
    """
    known = keys or {}
    # What merely waits is left out, and so are notes, reasons and times: a plan made again a minute later, on
    # another machine, has the same digest as long as it would do the same.
    lines: list[list[Any]] = [
        [
            step.action.value,
            str(step.key),
            [
                [
                    dotted(each.path),
                    *(_plain(side, known.get(step.key.cluster, b"")) for side in (each.before, each.after)),
                ]
                for each in step.fields
            ],
        ]
        for step in steps
        if step.action is not Action.READ
    ]
    lines += [["left", str(each.key), each.owner, each.where] for each in kept]
    text = json.dumps(lines, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def _plain(value: Any, key: bytes) -> Any:
    if isinstance(value, Sensitive):
        return f"(sensitive value) {fingerprint(key, value)}"
    return value if isinstance(value, str | int | float | bool | type(None)) else repr(value)
