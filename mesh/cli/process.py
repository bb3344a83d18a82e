"""This process, as signals and workers reach it."""

from __future__ import annotations

from dataclasses import dataclass, field

from mesh.cli.progress_feed import Waits
from mesh.walk import Stop
from mesh.world.helm.children import Children


@dataclass(frozen=True, slots=True)
class Process:
    """The stop of this run, its helm processes, and what its workers wait for."""

    stop: Stop = field(default_factory=Stop.new)
    children: Children = field(default_factory=Children)
    waits: Waits = field(default_factory=Waits)
