"""The last net under what a cluster says: odd data concerns that cluster alone.

`mesh.world.kube.objects` types what is known to be looked at. What passes there and cannot be understood is
`Unread`, with its reason, as if the cluster had not answered.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import TypeVar

from mesh.errors import MeshError
from mesh.model import Unread
from mesh.world import trace

T = TypeVar("T")


def guarded(what: str, read: Callable[[], T]) -> T | Unread:
    """Return what was read or judged; `Unread` if that raised. `what` names the cluster and the objects."""
    try:
        return read()
    except MeshError as error:
        return Unread(error.message)
    except Exception as error:  # noqa: BLE001  # any exception, since any shape of data may be behind it
        return Unread(not_understood(what, error))


def not_understood(what: str, error: Exception) -> str:
    """Return the reason for data that made a function raise, and trace where; values are left out."""
    frames = traceback.extract_tb(error.__traceback__)
    at = " ".join(f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in frames)
    trace.event(trace.PLAN, "not_understood", about=what, error=type(error).__name__, at=at)
    return f"{what} cannot be understood ({type(error).__name__}); `-v` shows where it failed"
