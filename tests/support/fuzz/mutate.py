"""Mutations of a text and of plain data, drawn from a seeded generator."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from random import Random
from typing import Any


def _deep(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value] if levels % 2 else {"a": value}
    return value


ODD: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    5,
    1.5,
    1e308,
    2**70,
    "",
    "x",
    "9",
    "null",
    "../../etc/passwd",
    "a/b/c",
    "chart/cluster2/istiod",
    "cluster2",
    "\x1b[31m",
    "\u202e\u2066",
    "::set-output name=x::y",
    "$(touch /tmp/x)",
    "x" * 5_000,
    "2026-01-01T00:00:00",
    "2026-99-99T00:00:00Z",
    [],
    {},
    [[]],
    [None],
    [1, "x", {}],
    {"": ""},
    {"name": 5},
    {"type": "Ready", "status": True},
    _deep(50),
    _deep(101),
    _deep(150),
)


def data(value: Any, draw: Random) -> Any:
    """Return plain data with one to three parts replaced, removed, renamed or repeated."""
    found = json.loads(json.dumps(value))
    for _ in range(draw.choice((1, 1, 1, 2, 3))):
        holders = list(_holders(found))
        if not holders:
            return _odd(draw)
        holder = draw.choice(holders)
        _change(holder, draw)
    return found


def _odd(draw: Random) -> Any:
    return deepcopy(draw.choice(ODD))


def _holders(value: Any) -> Any:
    if isinstance(value, dict | list) and value:
        yield value
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _holders(inner)


def _change(holder: Any, draw: Random) -> None:
    name = draw.choice(list(holder) if isinstance(holder, dict) else range(len(holder)))
    match draw.randrange(10):
        case 0 | 1:
            del holder[name]
        case 2 if isinstance(holder, dict):
            holder[draw.choice(("name", "x", "", "metadata", "a/b"))] = holder.pop(name)
        case 3 if isinstance(holder, list):
            holder += holder[: 50 - len(holder)]
        case 4 if isinstance(holder[name], str):
            holder[name] = text(holder[name], draw)
        case _:
            holder[name] = _odd(draw)


def text(value: str, draw: Random) -> str:
    """Return a text with a few characters changed."""
    return raw(value.encode("utf-8", "replace"), draw).decode("utf-8", "replace")


def raw(value: bytes, draw: Random) -> bytes:
    """Return bytes with a few of them flipped, cut, repeated, or put where they do not belong."""
    found = bytearray(value)
    for _ in range(draw.choice((1, 1, 2, 5))):
        at = draw.randrange(len(found) + 1)
        end = min(len(found), at + draw.choice((1, 2, 8, 100)))
        EDITS[draw.randrange(len(EDITS))](found, at, end, draw)
    return bytes(found)


def _flip(found: bytearray, at: int, _end: int, draw: Random) -> None:
    if at < len(found):
        found[at] ^= 1 << draw.randrange(8)


def _cut(found: bytearray, at: int, _end: int, _draw: Random) -> None:
    del found[at:]


def _drop(found: bytearray, at: int, end: int, _draw: Random) -> None:
    del found[at:end]


def _again(found: bytearray, at: int, end: int, draw: Random) -> None:
    found[at:at] = bytes(found[at:end]) * draw.choice((1, 3, 50))


def _put(found: bytearray, at: int, _end: int, draw: Random) -> None:
    found[at:at] = draw.choice(SCRAPS)


SCRAPS = (
    b"[" * 200,
    b'{"a":' * 200,
    b"- " * 200,
    b"&a [*a]",
    b"*a",
    b"<<: *a\n",
    b"9" * 5_000,
    b"\\ud800",
    b"\xff\xfe",
    b"\x00",
    b"NaN",
    b"1e999",
    b'"',
    b"\\",
    b"\n---\n",
    b"!!python/none ",
    b"null",
    b"<<<<<<< ours\n",
)
EDITS: tuple[Callable[[bytearray, int, int, Random], None], ...] = (_flip, _flip, _cut, _drop, _again, _put)
