"""The order of a plan's steps, and the digests by which a reviewed plan is recognised; pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from mesh.model import SENSITIVE, Action, Key, Left, Origin, Path, Sensitive, Step, Unknown
from mesh.model.diff import dotted, named
from mesh.model.fingerprint import fingerprint
from mesh.planner.decisions import Steps

Fingerprint = Callable[[str], str]
"""Stands for a secret: equal for equal texts, and useless to those who lack its key."""


def in_order(steps: Steps, order: tuple[Key, ...]) -> tuple[Step, ...]:
    """List removals first, as they were decided (each after its users), then the rest by `order`."""
    wanted = set(order)
    removals = [key for key in steps if key not in wanted]
    return tuple(steps[key] for key in [*removals, *order] if key in steps)


def plan_digest(
    steps: tuple[Step, ...], kept: Iterable[Left] = (), keys: Mapping[str, bytes] | None = None
) -> str:
    """Return a digest over what the steps do and what is left to other owners.

    What the steps do is their fields, the objects that they send, the values that are not shown, and the
    bytes of the charts. A hidden value counts by its fingerprint under the key of its cluster; `keys` are
    by cluster.
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
            *[dict(each) for each in (step.review.objects, step.review.hidden, step.review.charts)],
        ]
        for step in steps
        if step.action is not Action.READ
    ]
    lines += [["left", str(each.key), each.owner, each.where] for each in kept]
    return _sha256(lines)


def sealed(value: Any, hide: Fingerprint) -> str:
    """Return the digest of any value of the engine; a secret in it counts by its fingerprint."""
    return _sha256(_data(value, hide))


def hidden_in(value: Any, path: Path = ()) -> Iterator[tuple[str, Sensitive]]:
    """Yield every secret in a value with its dotted path; not those that only stand for one."""
    match value:
        case Sensitive():
            if value != SENSITIVE:
                yield dotted(path), value
        case Mapping() | list() | tuple():
            for part, item in named(value).items():
                yield from hidden_in(item, (*path, str(part)))
        case _ if is_dataclass(value) and not isinstance(value, type):
            for each in fields(value):
                yield from hidden_in(getattr(value, each.name), (*path, each.name))


def _sha256(data: Any) -> str:
    return "sha256:" + hashlib.sha256(_text(data).encode()).hexdigest()


def _text(data: Any) -> str:
    return json.dumps(data, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def _data(value: Any, hide: Fingerprint) -> Any:
    """Return a value as JSON data; positions in files are left out."""
    match value:
        case None | bool() | int() | float() | str():
            return value
        case Sensitive():
            return {"hidden": "" if value == SENSITIVE else hide(_text(_data(value.reveal(), hide)))}
        case Mapping():
            return {str(key): _data(item, hide) for key, item in value.items()}
        case list() | tuple():
            return [_data(item, hide) for item in value]
        case set() | frozenset():
            return sorted((_data(item, hide) for item in value), key=_text)
        case Origin():
            return None  # lines move when a comment is added
        case Key() | Unknown():
            return str(value)
        case _ if is_dataclass(value) and not isinstance(value, type):
            return {each.name: _data(getattr(value, each.name), hide) for each in fields(value)}
    return str(value)


def _plain(value: Any, key: bytes) -> Any:
    if isinstance(value, Sensitive):
        return f"(sensitive value) {fingerprint(key, value)}"
    return value if isinstance(value, str | int | float | bool | type(None)) else repr(value)
