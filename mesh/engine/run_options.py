"""How a run is carried out, and who watches it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mesh.engine.gate import MidFlightChecks, no_checks
from mesh.engine.outcome import Outcome
from mesh.model import Key, Step
from mesh.state.lease import Leases

DEFAULT_TIMEOUT = 300.0
DEFAULT_PARALLELISM = 10


@dataclass(frozen=True, slots=True)
class Hooks:
    """What a run calls while it is under way, always in the caller's thread."""

    started: Callable[[Step], None] = lambda _step: None
    finished: Callable[[Step, Outcome], None] = lambda _step, _outcome: None
    skipped: Callable[[Step, Key], None] = lambda _step, _because: None
    tick: Callable[[], None] = lambda: None


def never() -> bool:
    """For runs that are never asked to stop."""
    return False


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How a run is carried out.

    `stopping` says whether it was asked to stop. `timeout` is how many seconds each step may take to become
    ready. Without `leases` no lease is taken and no history is kept. `checks` are asked between two
    clusters of a rollout.
    """

    hooks: Hooks = Hooks()
    stopping: Callable[[], bool] = never
    timeout: float = DEFAULT_TIMEOUT
    parallelism: int = DEFAULT_PARALLELISM
    leases: Leases | None = None
    checks: MidFlightChecks = no_checks
