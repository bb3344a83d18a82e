"""Remove mistakes from a document, so that the rest is validated in the same run."""

from __future__ import annotations

import copy
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from mesh.config.source.document import Document, Trail, dotted
from mesh.config.source.scalars import shown
from mesh.errors import Problem

PLACEHOLDER = re.compile(r"\$\{|\$\(|\$[A-Za-z_]|\{\{")
STAND_INS: Mapping[Trail, object] = {
    ("apiVersion",): "mesh/v1",
    ("kind",): "Mesh",
    ("metadata",): {},
    ("metadata", "name"): "mesh",
    ("spec",): {},
    ("spec", "istio"): {},
    ("spec", "istio", "version"): "1.30.2-solo",
    ("spec", "clusters"): [{"name": "cluster1"}],
}
"""Valid values that replace missing or wrong required ones, so that only the original problem is reported."""


def placeholders(doc: Document) -> Iterator[tuple[Trail, Problem]]:
    """Yield a problem for each text that looks like a template variable, outside of chart values."""
    for trail, text in _leaves(doc.data, ()):
        if isinstance(text, str) and PLACEHOLDER.search(text):
            name = "this" if trail[-2:-1] == ("license",) else shown(text)
            hint = "mesh files have no variables: write the value, or override it on the command line"
            yield trail, doc.problem(trail, f"{name} looks like a variable", hint)


def unset(doc: Document, reported: Collection[str]) -> Iterator[Problem]:
    """Yield a problem for each key without a value, outside of chart values and not in `reported`."""
    for trail, value in _leaves(doc.data, ()):
        if value is None and dotted(trail) not in reported:
            yield doc.problem(trail, "is empty", "write a value or remove the key")


def _leaves(value: Any, trail: Trail) -> Iterator[tuple[Trail, Any]]:
    match value:
        case list():
            for index, item in enumerate(value):
                yield from _leaves(item, (*trail, index))
        case dict():
            for key, item in value.items():
                if key != "values":
                    yield from _leaves(item, (*trail, key))
        case _:
            yield trail, value


def without(data: Any, gone: Iterable[Trail]) -> tuple[Any, dict[Trail, list[int]]]:
    """Return the data without the given parts, and for each shortened list the indexes that remain."""
    kept: dict[Trail, list[int]] = {}
    return _without(data, (), frozenset(gone), kept), kept


def with_stand_ins(data: dict[str, Any]) -> dict[str, Any]:
    """Fill in a valid value for each missing required one."""
    for trail, value in STAND_INS.items():
        place = data
        for part in trail[:-1]:
            place = place[str(part)]
        place.setdefault(str(trail[-1]), copy.copy(value))
    return data


def _without(value: Any, trail: Trail, gone: frozenset[Trail], kept: dict[Trail, list[int]]) -> Any:
    match value:
        case dict():
            return {
                key: _without(item, (*trail, key), gone, kept)
                for key, item in value.items()
                if (*trail, key) not in gone
            }
        case list():
            left = [index for index in range(len(value)) if (*trail, index) not in gone]
            if len(left) < len(value):
                kept[trail] = left
            return [_without(value[index], (*trail, index), gone, kept) for index in left]
        case _:
            return value
