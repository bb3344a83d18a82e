"""Folders of the lab: the cache that outlives labs, and one state folder per lab."""

from __future__ import annotations

import os
from pathlib import Path


def cache_dir() -> Path:
    """Return the folder for build results: `MESH_CACHE_DIR`, else a folder in the user's cache."""
    given = os.environ.get("MESH_CACHE_DIR")
    if given:
        return Path(given).expanduser().absolute()
    return _xdg("XDG_CACHE_HOME", ".cache") / "meshform"


def lab_dir(name: str) -> Path:
    """Return the default state folder of the lab `name`."""
    return _xdg("XDG_STATE_HOME", ".local/state") / "meshform" / "labs" / name


def _xdg(variable: str, fallback: str) -> Path:
    given = os.environ.get(variable, "")
    # The XDG specification says that relative paths in these variables must be ignored.
    return Path(given) if Path(given).is_absolute() else Path.home() / fallback
