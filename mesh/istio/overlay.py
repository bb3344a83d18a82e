"""One layer of chart values over another, as helm does it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def overlay(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Return both: maps are merged, anything else in `over` replaces what is under it."""
    merged = dict(under)
    for key, value in over.items():
        below = merged.get(key)
        if isinstance(below, Mapping) and isinstance(value, Mapping):
            merged[key] = overlay(below, value)
        else:
            merged[key] = value
    return merged
