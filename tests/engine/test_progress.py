"""What a run knows: a finished step counts, before what the plan found."""

from __future__ import annotations

from typing import Any

import pytest

from mesh.engine.outcome import Outcome
from mesh.engine.progress import Progress
from mesh.errors import KubeError
from mesh.model import Found, Key, Live, Place, Unknown, Unread
from mesh.model.refs import Ref
from mesh.sdk.contract import Last
from mesh.state.lockfile import Entry, State
from tests.engine.toy import key

A = key("a")
OLD, NEW = Live({}, "t", outputs={"out": 1}), Live({}, "t", outputs={"out": 2})


@pytest.mark.parametrize(
    ("found", "outcome", "value"),
    [
        (OLD, None, 1),
        (OLD, Outcome(NEW), 2),
        (None, Outcome(NEW), 2),
        (OLD, Outcome(None), Unknown(A)),
        (OLD, Outcome(error=KubeError("x")), Unknown(A)),
        (None, None, Unknown(A)),
        (Unread("x"), None, Unknown(A)),
        (Live({}, "t"), None, Unknown(A)),
    ],
)
def test_a_ref_has_the_value_that_its_step_left(found: Found, outcome: Outcome | None, value: Any) -> None:
    progress = Progress({A: found}, State("demo", "line"), {A: outcome} if outcome else {})
    assert progress.lookup(Ref(A, "out")) == value


def test_a_resource_is_where_it_was_found_or_where_the_file_wants_it() -> None:
    default, other = Place("x", "a"), Place("y", "b")
    found: dict[Key, Found] = {A: Live({}, "t", place=other), key("b"): OLD, key("c"): Unread("x")}
    progress = Progress(found, State("demo", "line"))
    assert [progress.place(key(name), default) for name in "abcd"] == [other, default, default, default]


def test_the_state_is_read_as_it_is_now() -> None:
    progress = Progress({}, State("demo", "line"))
    assert progress.last() == {}
    last = Last(Place("", "a"), {})
    progress.state = progress.state.with_entry(A, Entry(last))
    assert progress.last() == {A: last}
