"""Values that refer to the output of another resource: find them and replace them.

Users write plain YAML; only the expansion creates `Ref`s. A spec may contain them anywhere inside
frozen dataclasses, mappings, tuples and lists.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, TypeVar

from mesh.model import Key, Unknown

T = TypeVar("T")


@dataclass(frozen=True, slots=True, order=True)
class Ref:
    """The output `name` of the resource `key`; a dotted name selects a part of a structured output."""

    key: Key
    name: str


Lookup = Callable[[Ref], Any]


def pick(outputs: Mapping[str, Any], ref: Ref) -> Any:
    """Return the value of a ref from the outputs of its resource, or `Unknown`."""
    value: Any = outputs
    for part in ref.name.split("."):
        if not isinstance(value, Mapping) or part not in value:
            return Unknown(ref.key)
        value = value[part]
    return value


def refs_in(value: object) -> Iterator[Ref]:
    """Yield every `Ref` inside a value, in a stable order."""
    # Most values are leaves, and the question whether one is a Mapping costs more than all the others.
    if isinstance(value, str | int | None):
        return
    match value:
        case Ref():
            yield value
        case Mapping():
            for item in value.values():
                yield from refs_in(item)
        case tuple() | list():
            for item in value:
                yield from refs_in(item)
        case _ if is_dataclass(value):
            for each in fields(value):
                yield from refs_in(getattr(value, each.name))


def bind(value: T, lookup: Lookup) -> T:
    """Return the value with every `Ref` replaced by the result of `lookup`, which may be `Unknown`."""
    return _bind(value, lookup)  # type: ignore[no-any-return]  # a Ref's place takes any type: see Ref


def _bind(value: Any, lookup: Lookup) -> Any:
    if isinstance(value, str | int | None):
        return value
    match value:
        case Ref():
            return lookup(value)
        case Mapping():
            return {key: _bind(item, lookup) for key, item in value.items()}
        case tuple():
            return tuple(_bind(item, lookup) for item in value)
        case list():
            return [_bind(item, lookup) for item in value]
        case _ if is_dataclass(value) and not isinstance(value, type):
            if next(refs_in(value), None) is None:
                return value
            return replace(value, **{f.name: _bind(getattr(value, f.name), lookup) for f in fields(value)})
    return value


def unknowns_in(value: object) -> Iterator[Unknown]:
    """Yield every `Unknown` inside a bound value."""
    match value:
        case Unknown():
            yield value
        case Mapping():
            for item in value.values():
                yield from unknowns_in(item)
        case tuple() | list():
            for item in value:
                yield from unknowns_in(item)
        case _ if is_dataclass(value):
            for each in fields(value):
                yield from unknowns_in(getattr(value, each.name))
