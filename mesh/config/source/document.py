"""A YAML file as plain data that remembers where everything in it is written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mesh.config.source.scalars import shown
from mesh.errors import Problem
from mesh.model import Origin

Trail = tuple[str | int, ...]
"""The keys and indexes that lead to a value."""
Mark = tuple[int, int]
"""Line and column, from 1."""


def dotted(trail: Trail) -> str:
    """Return a path as people write it: `spec.clusters[0].name`."""
    text = ""
    for part in trail:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            plain = re.fullmatch(r"[A-Za-z0-9_/-]{1,60}", part)
            text += ("." if text else "") + (part if plain else shown(part))
    return text


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML file as plain data, the marks of its values and keys, and what is wrong with it.

    `digest` is the SHA-256 of its bytes.
    """

    file: str
    data: Any
    values: Mapping[Trail, Mark] = field(default_factory=dict)
    keys: Mapping[Trail, Mark] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    digest: str = ""

    def origin(self, trail: Trail) -> Origin:
        """Return where a value is written; the nearest thing around it if it is not written."""
        while trail not in self.values and trail:
            trail = trail[:-1]
        return Origin(self.file, *self.values.get(trail, (1, 1)))

    def key_origin(self, trail: Trail) -> Origin:
        """Return where the key of a value is written; a list's item has no key, only its own mark."""
        return Origin(self.file, *self.keys[trail]) if trail in self.keys else self.origin(trail)

    def problem(self, trail: Trail, what: str, hint: str = "") -> Problem:
        """Say that a value is wrong."""
        at = self.origin(trail)
        return Problem(at.file, at.line, at.col, dotted(trail), what, hint)

    def key_problem(self, trail: Trail, what: str, hint: str = "") -> Problem:
        """Say that a key should not be there, or not have this name."""
        at = self.key_origin(trail)
        return Problem(at.file, at.line, at.col, dotted(trail), what, hint)
