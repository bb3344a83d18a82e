"""Three-way merge of plain values: desired now, last applied, and live.

A desired path is set. A path that was applied last time and is no longer desired is removed. Any
other path belongs to another owner, or is a default of the API server, and is kept. Lists of named
items are merged by name; any other list is a leaf with one owner.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import Enum
from typing import Any, Final

from mesh.model import Path
from mesh.model.diff import dotted, named


class _Gone(Enum):
    """Marks a removed value; `None` is a real value, with which helm removes a chart's default."""

    GONE = 0


GONE: Final = _Gone.GONE


def merge(ours: Mapping[str, Any], live: Mapping[str, Any], last: Collection[str]) -> dict[str, Any]:
    """Return the merged value; `last` contains the dotted paths of the leaves that mesh applied last."""
    return _mappings(ours, live, frozenset(last), ())


def _mappings(
    ours: Mapping[str, Any], live: Mapping[str, Any], last: frozenset[str], at: Path
) -> dict[str, Any]:
    # In the order of the live value, new keys last: an unchanged value then stays the same text, and a list
    # of named items, in which order may have a meaning, keeps the order that its owner gave it.
    result: dict[str, Any] = {}
    for key in [*live, *(key for key in ours if key not in live)]:
        path = (*at, key)
        if key in ours:
            result[key] = _desired(ours[key], live.get(key), last, path)
        elif (kept := _foreign(live[key], last, path)) is not GONE:
            result[key] = kept
    return result


def _desired(ours: Any, live: Any, last: frozenset[str], path: Path) -> Any:
    """Return the desired value, with the parts that other owners added inside it."""
    if isinstance(ours, Mapping) and isinstance(live, Mapping):
        return _mappings(ours, live, last, path)
    if _by_name(ours) and _by_name(live):
        return list(_mappings(named(ours), named(live), last, path).values())
    return ours


def _foreign(live: Any, last: frozenset[str], path: Path) -> Any:
    """Return the parts of a live value that mesh never set; GONE if there are none."""
    if isinstance(live, Mapping) and live:
        return _mappings({}, live, last, path) or GONE
    if _by_name(live):
        return list(_mappings({}, named(live), last, path).values()) or GONE
    # Only what `last` proves to be mesh's is removed, never what is merely not desired: a key of another
    # owner was never in `last`, so it stays whatever the order of the runs, and also when the state was lost
    # (`last` is empty, and nothing is removed). A list counts as a whole, since without names
    # nothing shows which item belongs to which owner.
    prefix = dotted(path)
    ours = prefix in last or any(each.startswith(f"{prefix}.[") for each in last)
    return GONE if ours else live


def _by_name(value: Any) -> bool:
    return isinstance(value, list | tuple) and bool(value) and "[0]" not in named(value)
