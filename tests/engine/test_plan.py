"""The passes that order the steps, and the reads that a plan rests on."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from mesh.engine import plan as planning
from mesh.engine.plan import passes
from mesh.engine.session import Session
from mesh.model import Action, Place
from mesh.planner.inputs import Inputs, PlanOptions
from mesh.sdk.capabilities import Kept
from mesh.sdk.contract import Last
from mesh.state.lockfile import Entry, State
from mesh.world import World
from tests.engine.toy import ToyProvider, carry_out, key, plan, toy, toys
from tests.support.steps import drawn, step, steps

A = key("a")


class Keeper(ToyProvider, Kept):
    """Toys that stay while children play with them."""

    def keeps(self, place: Place, world: World) -> str:
        return "children play with it"


def inputs(options: PlanOptions) -> Inputs:
    state = State("demo", "lineage", entries={A: Entry(Last(Place("", "a")))})
    return Inputs({}, {}, (), {}, state, datetime(2026, 1, 1, tzinfo=UTC), options)


def ordered(session: Session, options: PlanOptions) -> list[str]:
    some = steps(step("- toy/cluster1/a"))
    for each in passes(session, inputs(options)):
        some = each(some)
    return drawn(some.values())


def test_what_its_kind_keeps_is_forgotten_unless_the_kind_may_be_removed(here: Session) -> None:
    keeper = replace(here, kinds={"toy": Keeper()})
    assert ordered(keeper, PlanOptions()) == [". toy/cluster1/a"]
    assert ordered(keeper, PlanOptions(removable=frozenset({"toy"}))) == ["- toy/cluster1/a"]


def test_a_destroy_does_not_switch_links(here: Session) -> None:
    assert len(passes(here, inputs(PlanOptions(destroy=True)))) < len(passes(here, inputs(PlanOptions())))


def test_the_clusters_copy_of_the_state_is_used_when_the_lockfile_is_lost(here: Session) -> None:
    carry_out(here, plan(here, toy("a"), toy("b")))
    here.store.path.unlink()
    found = plan(here, toy("a"))
    assert [(each.action, each.key) for each in found.plan.steps] == [(Action.DELETE, key("b"))]
    assert set(toys(here.world, "cluster1").toys) == {"a", "b"}


def test_decisions_alone_refuse_nothing(here: Session) -> None:
    toys(here.world, "cluster1").put("a", {"out": 7}, owner="somebody")
    found = planning.decided(here, {A: toy("a", out=1)}, PlanOptions())
    assert set(found.decisions.refusals) == {A}
    assert found.decisions.steps == {}
