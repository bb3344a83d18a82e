"""Merge layers of chart values as helm does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def overlay(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Return the merged values: maps are merged, any other value in `over` replaces the one below."""
    merged = dict(under)
    for key, value in over.items():
        below = merged.get(key)
        if isinstance(below, Mapping) and isinstance(value, Mapping):
            merged[key] = overlay(below, value)
        else:
            merged[key] = value
    return merged
