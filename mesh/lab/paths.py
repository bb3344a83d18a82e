"""Where the lab keeps things: the cache that outlives labs, and one state folder per lab."""

from __future__ import annotations

import os
from pathlib import Path


def cache_dir() -> Path:
    """The folder for what is expensive to make: `MESH_CACHE_DIR`, else the user's cache folder."""
    given = os.environ.get("MESH_CACHE_DIR")
    if given:
        return Path(given).expanduser().absolute()
    return _xdg("XDG_CACHE_HOME", ".cache") / "meshform"


def lab_dir(name: str) -> Path:
    """The default state folder of the lab called `name`."""
    return _xdg("XDG_STATE_HOME", ".local/state") / "meshform" / "labs" / name


def _xdg(variable: str, fallback: str) -> Path:
    given = os.environ.get(variable, "")
    # The XDG specification tells programs to ignore relative paths in these variables.
    return Path(given) if Path(given).is_absolute() else Path.home() / fallback
