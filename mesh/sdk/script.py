"""What a kind adds to the script of `mesh render --commands`, which does by hand what `mesh apply` does."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Stage(IntEnum):
    """The order of a cluster's commands; links come after all clusters, since they need both ends."""

    BASE = 0
    TRUST = 1
    RELEASES = 2
    OBJECTS = 3
    LINKS = 4


@dataclass(frozen=True, slots=True)
class Input:
    """A variable that must be set in the environment: the script contains no secrets."""

    variable: str
    what: str
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Commands:
    """The commands of one resource, as shell text; each line ends with a newline.

    `once` are parts that several resources share, such as a function or a download: the script has each text
    once, before the first command of the stage. `check` comes after `create` of all resources of the stage:
    two links can wait for each other.
    """

    create: str
    once: tuple[str, ...] = ()
    check: str = ""
    inputs: tuple[Input, ...] = ()
