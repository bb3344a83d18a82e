"""What a kind can still say of a thing whose Secret may not be read: the record, and what shows of it."""

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
    """What was left there, and the attrs that visibly are otherwise now."""

    seen: Live
    strange: Attrs


def unreadable(
    key: Key, error: Forbidden, snapshot: Snapshot, look: Callable[[Last], VisibleState]
) -> Unread:
    """Judge by the record if the last step ended well; `look` reads what shows of it without its Secret."""
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
    """What the record says of a thing; what only its kind can say is empty."""
    return Live({}, token="", uid=last.uid, outputs=dict(last.outputs), place=last.place)
