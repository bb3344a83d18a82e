"""Repeat a read and the write that is made from it, while other writers come between the two."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from mesh.world.kube.errors import Conflict

ATTEMPTS = 5

_T = TypeVar("_T")


def on_conflict(attempt: Callable[[], _T]) -> _T:
    """Call `attempt`, which reads an object and writes it, until no other write falls between the two.

    Raises the last `Conflict` after five attempts, and at once one that names field managers: reading again
    does not change who holds a field. As `RetryOnConflict` of client-go.
    """
    for _ in range(ATTEMPTS - 1):
        try:
            return attempt()
        except Conflict as error:
            if error.causes:
                raise
    return attempt()
