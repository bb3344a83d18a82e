"""What a dry run adds to a plan."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mesh.engine import plan as planning
from mesh.engine.session import Session
from mesh.errors import RefusedError
from mesh.model import Key, Live
from mesh.planner.inputs import PlanOptions
from mesh.sdk.contract import Preview
from mesh.world import World
from tests.engine.toy import Toy, ToyProvider, key, plan, toy

A = key("a")
B = key("b")
C = key("c")


class Doubtful(ToyProvider):
    """Toys of which nobody can tell beforehand whether `a` may be made."""

    def preview(self, spec: Toy, key: Key, live: Live | None, world: World) -> Preview:
        return Preview(unknown="nobody can tell" if key == A else "")


def test_what_nobody_can_tell_beforehand_is_deferred_with_all_that_needs_it(here: Session) -> None:
    wanted = (toy("a"), toy("b", needs=frozenset({A})), toy("c", needs=frozenset({B})), toy("d"))
    planned = plan(replace(here, kinds={"toy": Doubtful()}), *wanted)
    assert [step.key for step in planned.plan.steps] == [key("d")]
    assert {each.key: each.why for each in planned.plan.deferred} == {
        A: "nobody can tell",
        B: f"needs {A}, which is deferred",
        C: f"needs {B}, which is deferred",
    }


class Deputy(ToyProvider):
    """Toys that bring a binding with them, from a record that anyone may have written."""

    def preview(self, spec: Toy, key: Key, live: Live | None, world: World) -> Preview:
        return Preview(beyond=("ClusterRoleBinding evil, which does not exist",))


def test_what_a_recorded_chart_adds_is_refused_unless_allowed_and_is_listed_then(here: Session) -> None:
    session = replace(here, kinds={"toy": Deputy()})
    with pytest.raises(RefusedError) as error:
        plan(session, toy("a"))
    assert "would create ClusterRoleBinding evil, which does not exist" in error.value.message
    assert "`--allow-new-objects toy/cluster1/a`" in error.value.message
    allowed = planning.plan(session, {A: toy("a")}, PlanOptions(new_objects=frozenset({A})))
    (step,) = allowed.plan.steps
    assert step.notes == (
        "the chart in its own record creates ClusterRoleBinding evil, which does not exist",
    )
