"""What is known of a resource if its Secret cannot be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from mesh.errors import KubeError
from mesh.model import Key, Place, Unread, UnreadSecret
from mesh.sdk.contract import OPEN, Last
from mesh.sdk.recorded_snapshot import RecordedSnapshot
from mesh.sdk.unreadable import VisibleState, as_left, unreadable
from mesh.world.kube.errors import Call, Forbidden
from tests.providers.worlds import world_without_clusters

KEY = Key("secret", "a", "one")
LAST = Last(Place("x", "one"), uid="u", outputs={"digest": "d"})
DENIED = Forbidden(Call("a", "a", "list", "secrets"), "no rights")


def found(last: Last | None, tmp_path: Path, *, blind: bool = False) -> Unread:
    def look(last: Last) -> VisibleState:
        if blind:
            raise KubeError("nor can pods")
        return VisibleState(as_left(last), {"a": 1})

    known = {KEY: last} if last else {}
    snapshot = RecordedSnapshot("a", world_without_clusters(tmp_path), last=known)
    return unreadable(KEY, DENIED, snapshot, look)


def test_it_is_what_the_last_apply_left_with_what_visibly_differs(tmp_path: Path) -> None:
    seen = found(LAST, tmp_path)
    assert isinstance(seen, UnreadSecret)
    assert (seen.seen.uid, seen.seen.outputs, seen.seen.place) == ("u", {"digest": "d"}, LAST.place)
    assert seen.strange == {"a": 1}


@pytest.mark.parametrize(
    ("last", "blind", "why"),
    [
        (None, False, f"{DENIED.message}; and nothing is recorded of it"),
        (
            Last(Place("x", "one"), status=OPEN),
            False,
            f"{DENIED.message}; and its last step did not end",
        ),
        (LAST, True, "nor can pods"),
    ],
)
def test_it_is_not_known_without_a_finished_step_or_anything_visible(
    last: Last | None, blind: bool, why: str, tmp_path: Path
) -> None:
    seen = found(last, tmp_path, blind=blind)
    assert type(seen) is Unread
    assert seen.why == why
