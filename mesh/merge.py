"""Three-way merge of plain mappings: ours now, ours last time, and what is there.

A path we want is set. A path we wanted last time and no longer want disappears. Any other path
belongs to somebody else and stays as it is.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from mesh.diff import dotted
from mesh.model import Path


def merge(
    ours: Mapping[str, Any], live: Mapping[str, Any], last: Collection[str], at: Path = ()
) -> dict[str, Any]:
    """Return what should be there; `last` holds the dotted paths of the leaves we set last time.

    Lists are leaves: a list is ours or theirs as a whole.
    """
    result: dict[str, Any] = {}
    for key in [*live, *(key for key in ours if key not in live)]:
        path = (*at, key)
        if key in ours and isinstance(ours[key], Mapping) and isinstance(live.get(key), Mapping):
            result[key] = merge(ours[key], live[key], last, path)
        elif key in ours:
            result[key] = ours[key]
        else:
            _keep(result, key, live[key], last, path)
    return result


def _keep(result: dict[str, Any], key: str, value: Any, last: Collection[str], path: Path) -> None:
    """Keep what is theirs of a key that we do not want (any more)."""
    if isinstance(value, Mapping) and value:
        theirs = merge({}, value, last, path)
        if theirs:
            result[key] = theirs
        return
    prefix = dotted(path)
    if prefix not in last and not any(each.startswith(f"{prefix}.[") for each in last):
        result[key] = value
