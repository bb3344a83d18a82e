"""The passes that order the steps, and the reads that a plan rests on."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from mesh.engine import plan as planning
from mesh.engine.plan import passes
from mesh.engine.session import Session
from mesh.errors import KubeError, RefusedError
from mesh.model import Action, Place
from mesh.planner.inputs import Inputs, PlanOptions
from mesh.sdk.capabilities import Kept
from mesh.sdk.contract import Last
from mesh.state import slices
from mesh.state.lockfile import Entry, State, from_text, to_text
from mesh.world import Object, World
from mesh.world.resources import CONFIG_MAP, NAMESPACE, ResourceType
from tests.engine.toy import Kube, ToyProvider, carry_out, key, plan, toy, toys
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


def forged(here: Session, cluster: str, change: Callable[[State], State]) -> None:
    """Write the copy of the state of a cluster as an attacker would who can write ConfigMaps there."""
    kube = toys(here.world, cluster)
    (config,) = [obj for obj in kube.list(CONFIG_MAP) if slices.DATA_KEY in obj.get("data", {})]
    state = from_text(config["data"][slices.DATA_KEY], "")
    config["data"][slices.DATA_KEY] = to_text(change(replace(state, serial=state.serial + 1, run="evil")))


VICTIM = key("payments", "cluster2")


def attacked(state: State) -> State:
    """The copy of cluster1 with entries of cluster2, and with what others made in cluster1."""
    stolen = Entry(Last(Place("", "payments"), uid="uid-0"))
    return state.with_entry(VICTIM, stolen).with_entry(key("theirs"), Entry(Last(Place("", "theirs"))))


@pytest.mark.parametrize("lockfile", [True, False], ids=["lockfile", "no lockfile"])
def test_the_copy_of_one_cluster_touches_nothing_in_another_one(here: Session, lockfile: bool) -> None:
    one, two = toys(here.world, "cluster1"), toys(here.world, "cluster2")
    two.put("payments", {"out": 1}, owner="helm release shop/payments")
    one.put("theirs", {"out": 1}, owner="somebody")
    carry_out(here, plan(here, toy("a"), toy("b", "cluster2")))
    forged(here, "cluster1", attacked)
    if not lockfile:
        here.store.path.unlink()
    found = plan(here, toy("a"), toy("b", "cluster2"))
    assert [(each.action, each.key) for each in found.plan.steps] == [(Action.FORGET, key("theirs"))]
    assert found.plan.warnings[0] == (
        "cluster cluster1: its copy of the state names toy/cluster2/payments of other clusters: ignored"
    )
    assert not carry_out(here, found).failed
    assert not carry_out(here, plan(here)).failed
    assert (set(one.toys), set(two.toys)) == ({"theirs"}, {"payments"})


def test_a_copy_of_another_mesh_neither_counts_nor_blocks(here: Session) -> None:
    carry_out(here, plan(here, toy("a")))
    forged(here, "cluster1", lambda state: replace(state, mesh="other", lineage="other"))
    found = plan(here, toy("a", out=1))
    assert "its copy of the state is of mesh 'other'" in found.plan.warnings[0]
    assert not carry_out(here, found).failed
    assert plan(here, toy("a", out=1)).plan.warnings == ()


def test_a_cluster_that_left_the_file_and_is_another_one_now_is_refused(here: Session) -> None:
    carry_out(here, plan(here, toy("a"), toy("b", "cluster2")))
    clusters = tuple(each for each in here.mesh.clusters if each.name == "cluster1")
    gone = replace(here, mesh=replace(here.mesh, clusters=clusters, links=()))
    assert [each.key for each in plan(gone, toy("a")).plan.steps] == [key("b", "cluster2")]
    swapped = {**here.world.kubes, "cluster2": here.world.kubes["cluster1"]}
    elsewhere = replace(gone, world=replace(here.world, kubes=swapped))
    for wanted in ((toy("a"),), ()):
        with pytest.raises(
            RefusedError, match="cluster cluster2, which is no longer in the mesh file, is not"
        ):
            plan(elsewhere, *wanted)


def test_what_a_restored_cluster_has_again_is_removed(here: Session) -> None:
    kube = toys(here.world, "cluster2")
    carry_out(here, plan(here, toy("a"), toy("b", "cluster2"), toy("c", "cluster2")))
    backup = deepcopy((kube.objects, kube.toys))
    carry_out(here, plan(here, toy("a"), toy("c", "cluster2")))
    assert set(kube.toys) == {"c"}
    kube.objects, kube.toys = backup
    found = plan(here, toy("a"), toy("c", "cluster2"))
    assert [(each.action, each.key) for each in found.plan.steps] == [(Action.DELETE, key("b", "cluster2"))]
    assert "cluster cluster2 was restored from a backup" in found.plan.warnings[0]
    assert not carry_out(here, found).failed
    assert set(kube.toys) == {"c"}
    again = plan(here, toy("a"), toy("c", "cluster2")).plan
    assert (again.empty, again.warnings) == (True, ())


def test_what_was_forgotten_is_not_taken_for_restored(here: Session) -> None:
    carry_out(here, plan(here, toy("a"), toy("b")))
    state = here.store.read("demo")
    here.store.rewrite(replace(state.with_entry(key("b"), None), serial=state.serial + 1, run="forget"))
    found = plan(here, toy("a")).plan
    assert (found.empty, found.warnings) == (True, ())


class NoNamespaces(Kube):
    """An API server that forbids the read that tells which cluster it is."""

    def list(self, resource: ResourceType, *, namespace: str = "", **query: Any) -> list[Object]:
        if resource.plural == NAMESPACE.plural:
            raise KubeError("namespaces is forbidden")
        return super().list(resource, namespace=namespace, **query)


def test_nothing_is_planned_in_a_cluster_that_cannot_be_told_from_another(here: Session) -> None:
    carry_out(here, plan(here, toy("a"), toy("b")))
    kube = toys(here.world, "cluster1")
    blind = NoNamespaces("cluster1", objects=kube.objects, toys=kube.toys)
    world = replace(here.world, kubes={**here.world.kubes, "cluster1": blind})
    found = plan(replace(here, world=world), toy("a", out=2))
    assert found.plan.steps == ()
    assert {each.key for each in found.plan.deferred} == {A, key("b")}
    assert all("the cluster is not known" in each.why for each in found.plan.deferred)


def test_decisions_alone_refuse_nothing(here: Session) -> None:
    toys(here.world, "cluster1").put("a", {"out": 7}, owner="somebody")
    found = planning.decided(here, {A: toy("a", out=1)}, PlanOptions())
    assert set(found.decisions.refusals) == {A}
    assert found.decisions.steps == {}
