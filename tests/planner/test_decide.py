"""What is decided about a wanted resource, and in which order."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mesh.engine.session import Session
from mesh.errors import RefusedError
from mesh.istio.addresses import namespace_key
from mesh.model import Action, Live, Place, Reason, Resource, Unknown
from mesh.model.refs import Ref
from mesh.planner.decide import decide
from tests.engine.toy import Toy, carry_out, key, plan, toy, toys

A = key("a")
B = key("b")
C = key("c")


def test_a_value_that_an_earlier_step_produces_is_unknown_until_then(here: Session) -> None:
    wanted = (toy("a", out=1), toy("b", **{"in": Ref(A, "out")}))
    steps = {step.key: step for step in plan(here, *wanted).plan.steps}
    assert [(each.path, each.after) for each in steps[B].fields] == [(("values", "in"), Unknown(A))]
    assert steps[B].needs == {A}
    carry_out(here, plan(here, *wanted))
    assert toys(here.world, "cluster1").toys["b"]["values"] == {"in": 1}


def test_a_change_that_moves_an_output_makes_what_refers_to_it_follow(here: Session) -> None:
    refers = toy("b", **{"in": Ref(A, "out")})
    carry_out(here, plan(here, toy("a", out=1), refers))
    steps = {step.key: step for step in plan(here, toy("a", out=2), refers).plan.steps}
    assert (steps[A].reason, steps[B].reason) == (Reason.CONFIG, Reason.FOLLOWS)
    carry_out(here, plan(here, toy("a", out=2), refers))
    assert toys(here.world, "cluster1").toys["b"]["values"] == {"in": 2}


def test_a_change_that_moves_no_output_leaves_what_refers_to_it_alone(here: Session) -> None:
    refers = toy("b", **{"in": Ref(A, "out")})
    carry_out(here, plan(here, toy("a", out=1, size=1), refers))
    assert [step.key for step in plan(here, toy("a", out=1, size=2), refers).plan.steps] == [A]


def test_what_needs_something_unread_is_deferred_and_nothing_else(here: Session) -> None:
    far = key("far", "cluster2")
    toys(here.world, "cluster2").down = True
    wanted = (toy("far", "cluster2", out=1), toy("b", needs=frozenset({far})), toy("c"))
    planned = plan(here, *wanted)
    assert [step.key for step in planned.plan.steps] == [C]
    assert [each.key for each in planned.plan.deferred] == [B, far]
    assert planned.plan.deferred[0].why == f"needs {far}, which is deferred"
    carry_out(here, planned)
    toys(here.world, "cluster2").down = False
    carry_out(here, plan(here, *wanted))
    assert plan(here, *wanted).plan.empty


def test_what_is_in_a_namespace_that_is_being_deleted_is_created_again(here: Session) -> None:
    home = replace(toy("a", out=1), place=Place("edge", "a"))
    carry_out(here, plan(here, home))
    decided = plan(here, home)
    assert decided.plan.empty
    going = Live({"name": "edge"}, "u:d", "u", going=True)
    inputs = decided.inputs
    seen = replace(inputs, found={**inputs.found, namespace_key("cluster1", "edge"): going})
    (step,) = decide(seen, here.kinds).steps.values()
    assert (step.action, step.reason) == (Action.CREATE, Reason.DRIFT)


def test_a_step_waits_for_those_before_it_past_what_is_as_wanted(here: Session) -> None:
    def chain(value: int) -> list[Resource[Toy]]:
        middle = toy("b", needs=frozenset({key("a")}))
        return [toy("a", x=value), middle, toy("c", needs=frozenset({key("b")}), x=value)]

    carry_out(here, plan(here, *chain(1)))
    needs = {step.key: step.needs for step in plan(here, *chain(2)).plan.steps}
    assert needs == {key("a"): frozenset(), key("c"): frozenset({key("a")})}


def test_what_somebody_else_made_differently_is_refused_with_the_way_to_take_it(here: Session) -> None:
    toys(here.world, "cluster1").put("a", {"out": 7}, owner="field manager kubectl")
    with pytest.raises(RefusedError) as refused:
        plan(here, toy("a", out=1))
    for text in ("toy/cluster1/a exists", "field manager kubectl", "values.out", "--take toy/cluster1/a"):
        assert text in refused.value.message


def test_a_refused_object_of_others_names_all_three_ways(here: Session) -> None:
    toys(here.world, "cluster1").put("a", {"out": 7}, owner="somebody")
    with pytest.raises(RefusedError) as refused:
        plan(here, toy("a", out=1))
    message = refused.value.message
    assert "take it over with `--take toy/cluster1/a`, " in message
    assert "leave it as it is with `--leave toy/cluster1/a`, or change the file" in message
