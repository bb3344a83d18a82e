"""Decisions, sorted by what they lead to."""

from __future__ import annotations

from mesh.model import Key, Left
from mesh.planner.decisions import Decisions, Deferred, Do, LeftToOwner, Refused, Unchanged
from tests.support.steps import step

A, B, C, D, E, F = (Key("toy", "c", name) for name in "abcdef")
WAIT = step("<= toy/c/e")
LEFT = Left(E, "somebody", "e")


def test_each_decision_leads_to_one_entry() -> None:
    found = Decisions.of(
        {
            A: Unchanged(),
            B: Do(step("+ toy/c/b")),
            C: Deferred("does not answer"),
            D: Refused("it is another owner's"),
        },
        {},
    )
    assert (found.unchanged, set(found.steps), set(found.deferred)) == ((A,), {B}, {C})
    assert (found.deferred[C].why, found.refusals) == ("does not answer", {D: "it is another owner's"})


def test_what_is_left_can_still_be_waited_for_or_deferred() -> None:
    found = Decisions.of(
        {E: LeftToOwner(LEFT, Do(WAIT)), F: LeftToOwner(LEFT, Deferred("needs x, which is deferred"))}, {}
    )
    assert (found.steps, set(found.left), set(found.deferred)) == ({E: WAIT}, {E, F}, {F})
    assert Decisions.of({E: LeftToOwner(LEFT, Unchanged())}, {}).unchanged == ()
