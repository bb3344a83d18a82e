"""A step against what is live when it runs."""

from __future__ import annotations

from mesh.engine.session import Session
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
