"""Three-way merge of plain values: ours now, ours last time, and what is there.

A path we want is set. A path we wanted last time and no longer want disappears. Any other path
belongs to somebody else, or is a default of the API server, and stays as it is. Lists of named
items are merged by name; any other list is a leaf, ours or theirs as a whole.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import Enum
from typing import Any, Final

from mesh.model import Path
from mesh.model.diff import dotted, named


class _Gone(Enum):
    """Nothing is left of a value; `None` is a value like any other, by which helm drops a chart's default."""

    GONE = 0


GONE: Final = _Gone.GONE


def merge(ours: Mapping[str, Any], live: Mapping[str, Any], last: Collection[str]) -> dict[str, Any]:
    """Return what should be there; `last` holds the dotted paths of the leaves we set last time."""
    return _mappings(ours, live, frozenset(last), ())


def _mappings(
    ours: Mapping[str, Any], live: Mapping[str, Any], last: frozenset[str], at: Path
) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key in [*live, *(key for key in ours if key not in live)]:
        path = (*at, key)
        if key in ours:
            result[key] = _ours(ours[key], live.get(key), last, path)
        elif (theirs := _theirs(live[key], last, path)) is not GONE:
            result[key] = theirs
    return result


def _ours(ours: Any, live: Any, last: frozenset[str], path: Path) -> Any:
    """Set what we want, with what others put inside it."""
    if isinstance(ours, Mapping) and isinstance(live, Mapping):
        return _mappings(ours, live, last, path)
    if _by_name(ours) and _by_name(live):
        return list(_mappings(named(ours), named(live), last, path).values())
    return ours


def _theirs(live: Any, last: frozenset[str], path: Path) -> Any:
    """Keep of a value what we never set; GONE if nothing is left of it."""
    if isinstance(live, Mapping) and live:
        return _mappings({}, live, last, path) or GONE
    if _by_name(live):
        return list(_mappings({}, named(live), last, path).values()) or GONE
    prefix = dotted(path)
    ours = prefix in last or any(each.startswith(f"{prefix}.[") for each in last)
    return GONE if ours else live


def _by_name(value: Any) -> bool:
    return isinstance(value, list | tuple) and bool(value) and "[0]" not in named(value)
