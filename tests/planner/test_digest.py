"""The digest by which a reviewed plan is recognised."""

from __future__ import annotations

from mesh.engine.session import Session
from mesh.model import Action, Field, Key, Sensitive, Step
from mesh.planner.digest import plan_digest
from tests.engine.toy import plan, toy, toys
from tests.engine.wishes import left


def test_equal_plans_have_equal_digests_and_others_have_others(here: Session) -> None:
    one, same, other = (plan(here, toy("a", out=number)).plan.digest for number in (1, 1, 2))
    assert one == same != other


def test_a_plan_that_leaves_something_to_others_has_another_digest(here: Session) -> None:
    """Nothing is to be done either way: but what is not left is recorded, and ours to remove from then on."""
    toys(here.world, "cluster1").put("a", {"out": 1}, owner="somebody")
    ours, theirs, again = (
        plan(one, toy("a", out=1)).plan for one in (here, left(here, "a"), left(here, "a"))
    )
    assert ours.steps == theirs.steps == ()
    assert ours.digest != theirs.digest == again.digest


def test_a_hidden_value_counts_under_the_key_of_its_cluster() -> None:
    def digest(value: str, key: bytes) -> str:
        fields = (Field(("values", "password"), Sensitive("old"), Sensitive(value)),)
        return plan_digest((Step(Action.UPDATE, Key("chart", "a", "cni"), fields=fields),), (), {"a": key})

    assert digest("one", b"key") == digest("one", b"key") != digest("two", b"key")
    assert digest("one", b"key") != digest("one", b"another")
    assert digest("one", b"") == digest("two", b"")
