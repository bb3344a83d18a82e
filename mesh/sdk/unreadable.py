"""Fallback observation when a Secret cannot be read: the state, and what is visible elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from mesh.errors import KubeError
from mesh.model import Attrs, Key, Live, Unread, UnreadSecret
from mesh.sdk.contract import Last
from mesh.sdk.recorded_snapshot import recorded
from mesh.world.kube.errors import Forbidden
from mesh.world.snapshot import Snapshot


class VisibleState(NamedTuple):
    """What the last apply left, and the attrs that visibly differ now."""

    seen: Live
    strange: Attrs


def unreadable(
    key: Key, error: Forbidden, snapshot: Snapshot, look: Callable[[Last], VisibleState]
) -> Unread:
    """Return what the state says if the last step finished; `look` reads what else is visible."""
    last = recorded(snapshot, key)
    if last is None:
        return Unread(f"{error.message}; and nothing is recorded of it")
    if last.status != "ok":
        return Unread(f"{error.message}; and its last step did not end")
    try:
        return UnreadSecret(error.message, *look(last))
    except KubeError as blind:
        return Unread(blind.message)


def as_left(last: Last) -> Live:
    """Return what the state says of a resource; the attrs, which only its kind knows, are empty."""
    return Live({}, token="", uid=last.uid, outputs=dict(last.outputs), place=last.place)
