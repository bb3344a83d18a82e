"""A YAML file as plain data with the position of every key and value."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mesh.config.source.scalars import shown
from mesh.errors import Problem
from mesh.model import Origin

Trail = tuple[str | int, ...]
"""Path of keys and indexes to a value."""
Mark = tuple[int, int]
"""Line and column, from 1."""


def dotted(trail: Trail) -> str:
    """Return a path in dotted form: `spec.clusters[0].name`."""
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
    """One YAML file as plain data, the positions of its values and keys, and its problems.

    `digest` is the SHA-256 of its bytes.
    """

    file: str
    data: Any
    values: Mapping[Trail, Mark] = field(default_factory=dict)
    keys: Mapping[Trail, Mark] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    digest: str = ""

    def origin(self, trail: Trail) -> Origin:
        """Return the position of a value; if it is absent, that of the nearest part around it."""
        while trail not in self.values and trail:
            trail = trail[:-1]
        return Origin(self.file, *self.values.get(trail, (1, 1)))

    def key_origin(self, trail: Trail) -> Origin:
        """Return the position of a value's key; a list item has no key, so its own position."""
        return Origin(self.file, *self.keys[trail]) if trail in self.keys else self.origin(trail)

    def problem(self, trail: Trail, what: str, hint: str = "") -> Problem:
        """Return a problem at the position of a value."""
        at = self.origin(trail)
        return Problem(at.file, at.line, at.col, dotted(trail), what, hint)

    def key_problem(self, trail: Trail, what: str, hint: str = "") -> Problem:
        """Return a problem at the position of a key."""
        at = self.key_origin(trail)
        return Problem(at.file, at.line, at.col, dotted(trail), what, hint)
