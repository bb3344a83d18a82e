"""A step against what is live when it runs."""

from __future__ import annotations

from dataclasses import replace

from mesh.engine.preview import LATER
from mesh.engine.session import Session
from mesh.engine.worker import MADE_AGAIN
from mesh.model import Action, Key
from mesh.world import World
from tests.engine.toy import Toy, ToyProvider, carry_out, key, plan, toy, toys

A = key("a")


def test_what_changed_since_the_plan_is_not_overwritten(here: Session) -> None:
    carry_out(here, plan(here, toy("a", out=1)))
    planned = plan(here, toy("a", out=2))
    toys(here.world, "cluster1").put("a", {"out": 2, "theirs": 1})
    result = carry_out(here, planned)
    assert result.failed == (A,)
    error = result.outcomes[A].error
    assert error is not None
    assert error.exit_code == 3
    assert "changed since the plan was made" in error.message


def test_what_came_back_since_the_plan_is_not_forgotten(here: Session) -> None:
    kube = toys(here.world, "cluster1")
    carry_out(here, plan(here, toy("a", out=1)))
    made = kube.toys.pop("a")
    planned = plan(here)
    assert [(step.action, step.why) for step in planned.plan.steps] == [(Action.FORGET, "it is gone already")]
    kube.toys["a"] = made
    result = carry_out(here, planned)
    assert result.failed == (A,)
    assert "is there again since the plan was made" in str(result.outcomes[A].error)
    # It is still recorded, so the next plan deletes it.
    assert [step.action for step in plan(here).plan.steps] == [Action.DELETE]


def test_what_another_owner_made_in_its_place_since_the_plan_is_forgotten(here: Session) -> None:
    kube = toys(here.world, "cluster1")
    carry_out(here, plan(here, toy("a", out=1)))
    del kube.toys["a"]
    planned = plan(here)
    kube.put("a", {"out": 1}, owner="somebody")
    result = carry_out(here, planned)
    assert (result.failed, plan(here).plan.steps) == ((), ())
    assert result.outcomes[A].remarks == (MADE_AGAIN,)
    assert "a" in kube.toys


def test_what_was_replaced_since_the_plan_is_not_deleted(here: Session) -> None:
    kube = toys(here.world, "cluster1")
    carry_out(here, plan(here, toy("a", out=1)))
    planned = plan(here)
    del kube.toys["a"]
    kube.put("a", {"out": 1}, owner="somebody")
    result = carry_out(here, planned)
    assert result.failed == (A,)
    assert "a" in kube.toys


def test_what_is_being_deleted_is_created_in_the_same_run_once_it_is_gone(here: Session) -> None:
    carry_out(here, plan(here, toy("a", out=1)))
    kube = toys(here.world, "cluster1")
    kube.toys["a"]["going"] = True
    planned = plan(here, toy("a", out=1))
    (step,) = planned.plan.steps
    assert (step.action, step.notes) == (Action.CREATE, (LATER,))
    assert step.why == "the present one is being deleted; it is created again once that has ended"
    waited: list[str] = []

    def say(about: str, why: str) -> None:
        waited.append(f"{about}: {why}")
        kube.toys.pop("a", None)

    here = replace(here, world=replace(here.world, say=say))
    assert carry_out(here, planned).end == "complete"
    assert waited == ["toy/cluster1/a: the present one is still being deleted"]
    assert kube.toys["a"]["values"] == {"out": 1}
    assert plan(here, toy("a", out=1)).plan.empty


def test_what_is_being_deleted_since_the_plan_is_not_written_to(here: Session) -> None:
    carry_out(here, plan(here, toy("a", out=1)))
    kube = toys(here.world, "cluster1")
    planned = plan(here, toy("a", out=2))
    kube.toys["a"]["going"] = True
    error = carry_out(here, planned).outcomes[A].error
    assert error is not None
    assert error.message == "toy/cluster1/a is being deleted since the plan was made"
    assert kube.toys["a"]["values"] == {"out": 1}


def test_what_lost_the_mark_since_the_plan_is_not_deleted(here: Session) -> None:
    kube = toys(here.world, "cluster1")
    carry_out(here, plan(here, toy("a", out=1)))
    planned = plan(here)
    kube.toys["a"]["owner"] = "somebody"
    result = carry_out(here, planned)
    error = result.outcomes[A].error
    assert error is not None
    assert error.exit_code == 3
    assert error.message == "toy/cluster1/a is not touched: it carries no mark of this mesh (somebody)"
    assert "a" in kube.toys


class Idle(ToyProvider):
    """A kind whose writes report success and do nothing, or only a part."""

    def create(self, spec: Toy, key: Key, world: World) -> None:
        if "half" in spec.values:
            toys(world, key.cluster).put(key.name, {**spec.values, "out": 1})


def test_a_write_that_changed_nothing_is_an_error_although_the_resource_is_ready(here: Session) -> None:
    carry_out(here, plan(here, toy("a", out=1)))
    idle = replace(here, kinds={"toy": Idle()})
    error = carry_out(idle, plan(idle, toy("a", out=2))).outcomes[A].error
    assert error is not None
    assert error.message == "the write was reported as done and changed nothing: values.out differs as before"
    assert not plan(here, toy("a", out=2)).plan.empty


def test_what_differs_again_after_a_write_is_said(here: Session) -> None:
    carry_out(here, plan(here, toy("a", out=1)))
    idle = replace(here, kinds={"toy": Idle()})
    result = carry_out(idle, plan(idle, toy("a", out=2, half=1)))
    assert result.end == "complete"
    assert result.outcomes[A].remarks == ("values.out differs again after the write",)
