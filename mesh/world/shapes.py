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
    # Every object of every answer passes here, so a path is only made for what does not fit.
    try:
        return _fitted(value, shape)
    except _Misfit as error:
        path = "".join(reversed(error.path))
        raise Unfit(f"{(at + path if at else path.removeprefix('.')) or 'it'} {error.why}") from None


class _Misfit(Exception):  # noqa: N818  # never leaves this module
    """Why a value does not fit, and its path, innermost part first."""

    def __init__(self, why: str, *path: str) -> None:
        super().__init__(why)
        self.why, self.path = why, [*path]


def _fitted(value: Any, shape: Any) -> Any:
    if shape.__class__ is type:
        return _plain(value, shape)
    if shape.__class__ is list:
        return _items([] if value is None else _plain(value, list), shape[0])
    held = {} if value is None else _plain(value, dict)
    if shape.__class__ is Each:
        return _values(held, shape.shape)
    return _of_keys(held, shape)


def _plain(value: Any, kind: type) -> Any:
    if value.__class__ is not kind:
        raise _Misfit(f"is not {_WORDS[kind]}")
    if isinstance(value, int) and not -LARGEST < value < LARGEST:
        raise _Misfit("is too large a number")
    return value


def _items(held: list[Any], shape: Any) -> list[Any]:
    found: list[Any] = []
    try:
        for item in held:
            found.append(_fitted(item, shape))  # its length is the index of what does not fit
    except _Misfit as error:
        error.path.append(f"[{len(found)}]")
        raise
    return found


def _values(held: Mapping[Any, Any], shape: Any) -> dict[Any, Any]:
    found = dict(held)
    for key, value in held.items():
        if value.__class__ is shape and shape is not int:
            continue
        try:
            found[key] = _fitted(value, shape)
        except _Misfit as error:
            error.path.append(_part(key))
            raise
    return found


def _of_keys(held: Mapping[str, Any], shape: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(held)
    for key, needed, inner in _keys(shape):
        value = found.get(key)
        if value.__class__ is inner and inner is not int:
            continue
        if value is not None:
            try:
                found[key] = _fitted(value, inner)
            except _Misfit as error:
                error.path.append(_part(key))
                raise
        elif needed:
            raise _Misfit("is missing", _part(key))
        elif key in found:
            del found[key]
    return found


_Keys = tuple[tuple[str, bool, Any], ...]
_known: dict[int, tuple[Mapping[str, Any], _Keys]] = {}
_MOST = 1000
"""Shapes are constants, some hundred of them; more than so many are some that are made for one call."""


def _keys(shape: Mapping[str, Any]) -> _Keys:
    """Return the keys of a shape, whether each is needed, and its shape."""
    # The shape is kept beside its keys, so that no other one can get its identity.
    held = _known.get(id(shape))
    if held is None:
        if len(_known) >= _MOST:
            _known.clear()
        keys = tuple((name.removesuffix("!"), name.endswith("!"), inner) for name, inner in shape.items())
        held = _known[id(shape)] = (shape, keys)
    return held[1]


def _part(key: object) -> str:
    return f".{str(key)[:60]}"


def moment(text: object) -> datetime:
    """Return a time of RFC 3339 with its zone; raise Unfit for any other value."""
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        raise Unfit("a time in it is not RFC 3339") from None
    if found.tzinfo is None:
        raise Unfit("a time in it has no zone")
    return found
