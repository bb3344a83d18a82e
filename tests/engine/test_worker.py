"""A step against what is live when it runs."""

from __future__ import annotations

from dataclasses import replace

from mesh.engine.preview import LATER
from mesh.engine.session import Session
from mesh.model import Action
from tests.engine.toy import carry_out, key, plan, toy, toys

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
