"""Untrusted mode: what a mesh file that no one has reviewed may not do.

`--untrusted` or MESH_UNTRUSTED=1 is for pipelines that plan the branch of a stranger with the credentials
of the pipeline. Everything in the checkout is then hostile, and the environment and the command line are
the pipeline's own. See docs/how-to/pull-requests.md.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from mesh.world.disk.input_file import outside

UNTRUSTED = "MESH_UNTRUSTED"
SOURCES = "MESH_CHART_SOURCES"
YES = frozenset({"1", "true", "yes"})

_SOURCE = re.compile(r"[a-z][a-z0-9+]*://[-A-Za-z0-9._:/]+")
_LICENCE = re.compile(r"LICEN[CS]E")


def is_untrusted(env: Mapping[str, str]) -> bool:
    """Whether the mesh file and everything beside it is untrusted."""
    return env.get(UNTRUSTED, "").lower() in YES


def listed_sources(env: Mapping[str, str]) -> tuple[str, ...]:
    """Return the chart sources that the pipeline allows; () for the default."""
    return tuple(each.rstrip("/") for each in env.get(SOURCES, "").replace(",", " ").split())


def is_allowed(source: str, allowed: Sequence[str]) -> bool:
    """Whether a URL is one of the allowed ones, or below one of them."""
    plain = _SOURCE.fullmatch(source) and not {".", ".."} & set(source.split("/"))
    return bool(plain) and any(source == each or source.startswith(f"{each}/") for each in allowed)


def names_licence(variable: str) -> bool:
    """Whether a variable is for a licence by its name; an untrusted mesh file may read no other."""
    return bool(_LICENCE.search(variable.upper()))


def checkout(folder: Path) -> Path:
    """Return the git work tree that holds a folder; the folder itself if none does."""
    start = folder.resolve()
    return next((each for each in (start, *start.parents) if (each / ".git").exists()), start)


def program_path(env: Mapping[str, str], folder: Path) -> str:
    """Return PATH without entries of the checkout and relative ones: a branch could bring programs."""
    root = checkout(folder)
    parts = env.get("PATH", "").split(os.pathsep)
    return os.pathsep.join(part for part in parts if Path(part).is_absolute() and outside(Path(part), root))
