"""What becomes of what the file no longer wants."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from mesh.engine.session import Session
from mesh.model import Action, Found, Live, Place, Reason, Step
from mesh.planner.inputs import Inputs, PlanOptions
from mesh.planner.prune import removal
from mesh.sdk.contract import Last
from mesh.state.lockfile import Entry, State
from tests.engine.toy import ToyProvider, carry_out, key, plan, toy, toys

A = key("a")
B = key("b")
C = key("c")


def test_what_cannot_be_read_is_never_taken_for_gone(here: Session) -> None:
    wanted = (toy("a", out=1), toy("far", "cluster2", frozenset({A}), out=1))
    carry_out(here, plan(here, *wanted))
    toys(here.world, "cluster2").down = True
    planned = plan(here)
    assert planned.plan.steps == ()
    assert [each.why for each in planned.plan.deferred] == [
        f"still used by {key('far', 'cluster2')}, which is deferred",
        "does not answer",
    ]
    carry_out(here, planned)
    assert set(here.store.read("demo").entries) == {A, key("far", "cluster2")}


def test_a_removal_says_whether_it_left_the_file_or_the_mesh_goes(here: Session) -> None:
    carry_out(here, plan(here, toy("a"), toy("b")))
    assert [step.reason for step in plan(here, toy("a")).plan.steps] == [Reason.REMOVED]
    assert [step.reason for step in plan(here).plan.steps] == [Reason.DESTROY] * 2


def test_removals_go_backwards_along_the_recorded_needs(here: Session) -> None:
    carry_out(here, plan(here, toy("a"), toy("b", needs=frozenset({A})), toy("c", needs=frozenset({B}))))
    planned = plan(here)
    assert [(step.action, step.key) for step in planned.plan.steps] == [
        (Action.DELETE, C),
        (Action.DELETE, B),
        (Action.DELETE, A),
    ]
    carry_out(here, planned)
    assert [each for each in toys(here.world, "cluster1").writes if each.startswith("-")] == [
        "-c",
        "-b",
        "-a",
    ]


def test_what_was_there_before_is_forgotten_and_stays(here: Session) -> None:
    kube = toys(here.world, "cluster1")
    kube.put("a", {"out": 1}, owner="somebody")
    carry_out(here, plan(here, toy("a", out=1)))
    (step,) = plan(here).plan.steps
    assert (step.action, step.why) == (Action.FORGET, "it existed before mesh and stays")
    carry_out(here, plan(here))
    assert "a" in kube.toys
    assert here.store.read("demo").entries == {}


def removed(found: Found, last: Last, *, destroy: bool = False) -> Step:
    state = State("demo", "lineage", entries={A: Entry(last)})
    inputs = Inputs(
        {}, {}, (), {A: found}, state, datetime(2026, 1, 1, tzinfo=UTC), PlanOptions(destroy=destroy)
    )
    return removal(inputs, ToyProvider(), A, last)


LIVE = Live({"values": {"x": 1}}, "uid:1", "uid", owner="demo")


@pytest.mark.parametrize(
    ("found", "created", "action"),
    [
        (LIVE, True, Action.DELETE),
        (LIVE, False, Action.FORGET),
        (None, True, Action.FORGET),
        (replace(LIVE, owner="somebody"), True, Action.FORGET),
        (replace(LIVE, owner="another-mesh"), True, Action.FORGET),
        (replace(LIVE, owner="field manager mesh/other"), True, Action.FORGET),
        (replace(LIVE, owner="field manager mesh/toy"), True, Action.DELETE),
        (replace(LIVE, uid="another"), True, Action.FORGET),
    ],
)
def test_what_mesh_created_is_deleted_and_the_rest_is_forgotten(
    found: Found, created: bool, action: Action
) -> None:
    assert removed(found, Last(Place("", "a"), created=created, uid="uid")).action is action


def test_a_destroy_has_a_reason_of_its_own() -> None:
    last = Last(Place("", "a"), uid="uid")
    reasons = [removed(LIVE, last, destroy=each).reason for each in (False, True)]
    assert reasons == [Reason.REMOVED, Reason.DESTROY]


def test_what_cannot_be_proven_to_be_of_this_mesh_is_forgotten_with_the_reason(here: Session) -> None:
    kube = toys(here.world, "cluster1")
    carry_out(here, plan(here, toy("a", out=1), toy("b", out=1), toy("c", out=1)))
    kube.toys["a"]["owner"] = "somebody"
    kube.toys["b"]["uid"] = "another"
    steps = {step.key: step for step in plan(here).plan.steps}
    assert {key: step.action for key, step in steps.items()} == {
        A: Action.FORGET,
        B: Action.FORGET,
        C: Action.DELETE,
    }
    assert steps[A].why == "it stays: it carries no mark of this mesh (somebody)"
    assert steps[B].why.startswith(
        "it stays: it is another object than the one in the state (uid another, not "
    )
    carry_out(here, plan(here))
    assert set(kube.toys) == {"a", "b"}
    assert here.store.read("demo").entries == {}
