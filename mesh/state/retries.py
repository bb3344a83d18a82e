"""Repeat a short request of the state: it has one attempt of few seconds, and one bad answer is common."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from mesh.errors import KubeError
from mesh.world import Clock
from mesh.world.kube.errors import Refusal, Unreachable

WAITS = (0.2, 0.5, 1.0)
"""Pauses before the second, third and fourth attempt."""
BUDGET = 4.0
"""Seconds since the first attempt after which no further one begins: a stopped run must end soon."""
TOO_MANY = 429

T = TypeVar("T")


def is_passing(error: KubeError) -> bool:
    """Whether the same request may work a moment later: no valid answer, too many requests, or a 5xx."""
    if isinstance(error, Refusal):
        return error.status == TOO_MANY or error.status >= 500
    return isinstance(error, Unreachable) and not error.untrusted


def repeated(attempt: Callable[[], T], clock: Clock, *, budget: float = BUDGET) -> T:
    """Return the result of the first attempt that works; raise the error of the last one."""
    # Only for requests that may be carried out twice: a read, a server-side apply, a DELETE with a uid.
    ends = clock.monotonic() + budget
    for pause in WAITS:
        try:
            return attempt()
        except KubeError as error:
            if not is_passing(error) or clock.monotonic() >= ends:
                raise
        clock.sleep(pause)
    return attempt()
