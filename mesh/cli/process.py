"""This process, as signals and workers reach it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field

import click

from mesh.cli.progress_feed import Waits
from mesh.walk import Stop
from mesh.world.helm.children import Children


@dataclass(slots=True)
class Notices:
    """What a signal handler says: at once, or from the next tick of the run that draws on the terminal."""

    drawing: bool = False
    waiting: list[str] = field(default_factory=list)

    def say(self, text: str) -> None:
        """Print a notice, or keep it; never fail, since a handler interrupts any code."""
        if self.drawing:
            self.waiting.append(text)
            return
        with suppress(OSError, RuntimeError):  # the latter if it interrupts a write to the same stream
            click.echo(text, err=True)

    def taken(self) -> list[str]:
        """Return what was kept, once."""
        taken, self.waiting[:] = list(self.waiting), []
        return taken


@dataclass(frozen=True, slots=True)
class Process:
    """The stop of this run, its helm processes, what its workers wait for, and what its signals say."""

    stop: Stop = field(default_factory=Stop.new)
    children: Children = field(default_factory=Children)
    waits: Waits = field(default_factory=Waits)
    notices: Notices = field(default_factory=Notices)
