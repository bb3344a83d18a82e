"""The types that text from outside must have where `mesh` looks at it.

A shape is `str`, `int`, `bool`, `dict` or `list` (of anything), `[shape]` (a list), `Each(shape)` (a map of
any keys), or a map of keys to shapes; a key that ends in `!` must be there. Keys that a shape does not name
are not looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mesh.model.bounded_text import Unfit


@dataclass(frozen=True, slots=True)
class Each:
    """A map with any keys, and values of one shape."""

    shape: Any


_WORDS: Mapping[type, str] = {
    str: "text",
    int: "a whole number",
    bool: "true or false",
    list: "a list",
    dict: "a map",
}

LARGEST = 2**63
"""Numbers of an API are 64 bits wide."""


def fitted(value: Any, shape: Any, at: str = "") -> Any:
    """Return the value, without keys that are null; raise Unfit, with the path, if it does not fit the shape.

    A list or map that is null is an empty one, as Go writes and reads it.
    """
    if isinstance(shape, type):
        return _plain(value, shape, at)
    if isinstance(shape, list):
        items = _plain([] if value is None else value, list, at)
        return [fitted(item, shape[0], f"{at}[{index}]") for index, item in enumerate(items)]
    held = _plain({} if value is None else value, dict, at)
    if isinstance(shape, Each):
        return {key: fitted(inner, shape.shape, _below(at, key)) for key, inner in held.items()}
    return _of_keys(held, shape, at)


def _of_keys(held: Mapping[str, Any], shape: Mapping[str, Any], at: str) -> dict[str, Any]:
    found = dict(held)
    for name, inner in shape.items():
        key = name.removesuffix("!")
        if found.get(key) is not None:
            found[key] = fitted(found[key], inner, _below(at, key))
        elif key != name:
            raise Unfit(f"{_below(at, key)} is missing")
        else:
            found.pop(key, None)
    return found


def _plain(value: Any, kind: type, at: str) -> Any:
    if type(value) is not kind:
        raise Unfit(f"{at or 'it'} is not {_WORDS[kind]}")
    if isinstance(value, int) and abs(value) >= LARGEST:
        raise Unfit(f"{at or 'it'} is too large a number")
    return value


def _below(at: str, key: object) -> str:
    name = str(key)[:60]
    return f"{at}.{name}" if at else name


def moment(text: object) -> datetime:
    """Return a time of RFC 3339 with its zone; raise Unfit for any other value."""
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        raise Unfit("a time in it is not RFC 3339") from None
    if found.tzinfo is None:
        raise Unfit("a time in it has no zone")
    return found
