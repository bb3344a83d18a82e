"""Objects of other owners: refused, taken or left."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.engine.registry import all_kinds
from mesh.engine.session import Session
from mesh.errors import InputError, UsageError
from mesh.model import Action, Key, Left, Live, Origin, Place
from mesh.model.refs import Ref
from mesh.planner.inputs import Inputs, PlanOptions
from mesh.planner.ownership import check_file, check_words, unproven
from mesh.planner.prune import removal
from mesh.sdk import ask
from mesh.sdk.contract import OPEN, Last, Provider
from mesh.state.lockfile import Entry, State
from tests.engine.toy import ToyProvider, carry_out, key, plan, toy, toys
from tests.engine.wishes import left

A = key("a")
B = key("b")


def test_what_is_left_stays_and_is_used_and_neither_counted_nor_recorded(here: Session) -> None:
    kube = toys(here.world, "cluster1")
    kube.put("a", {"out": 7}, owner="somebody")
    wanted = toy("a", out=1), toy("b", x=Ref(A, "out"))
    planned = plan(left(here, "a"), *wanted)
    assert [step.key for step in planned.plan.steps] == [B]
    assert planned.plan.left == (Left(A, "somebody", "a"),)
    carry_out(left(here, "a"), planned)
    assert kube.toys["a"]["values"] == {"out": 7}
    assert kube.toys["b"]["values"] == {"x": 7}
    assert set(here.store.read("demo").entries) == {B}
    again = plan(left(here, "a"), *wanted).plan
    assert again.empty
    assert (again.unchanged, len(again.left)) == (1, 1)
    carry_out(here, plan(here))
    assert set(kube.toys) == {"a"}


def test_what_is_left_and_goes_away_is_made_and_kept_as_ours(here: Session) -> None:
    kube = toys(here.world, "cluster1")
    kube.put("a", {"out": 7}, owner="somebody")
    mine, wish = left(here, "a"), toy("a", out=1)
    assert plan(mine, wish).plan.empty
    del kube.toys["a"]
    planned = plan(mine, wish)
    assert [step.action for step in planned.plan.steps] == [Action.CREATE]
    carry_out(mine, planned)
    settled = plan(mine, wish).plan
    assert (settled.empty, settled.left) == (True, ())
    assert settled.warnings == (
        "toy/cluster1/a was made by this mesh: there is no other owner to leave it to",
    )


def test_what_others_put_in_the_place_of_ours_can_be_left_to_them(here: Session) -> None:
    kube = toys(here.world, "cluster1")
    carry_out(here, plan(here, toy("a", out=1)))
    del kube.toys["a"]
    kube.put("a", {"out": 7}, owner="somebody")
    planned = plan(left(here, "a"), toy("a", out=1))
    assert planned.plan.empty
    carry_out(left(here, "a"), planned)
    carry_out(here, plan(here))
    assert set(kube.toys) == {"a"}


def test_an_address_of_nothing_cannot_be_left_and_none_is_both_taken_and_left(here: Session) -> None:
    with pytest.raises(UsageError, match="toy/cluster1/a cannot be left to others: it is not a resource"):
        check_words((), [A], {})
    with pytest.raises(UsageError, match="toy/cluster1/a is to be taken and to be left"):
        check_words([A], [A], {A: None})


def test_an_address_of_nothing_cannot_be_taken_and_the_nearest_are_named(here: Session) -> None:
    with pytest.raises(
        UsageError, match="toy/cluster1/b cannot be taken over: it is not a resource"
    ) as refused:
        plan(here, toy("a"), toy("c"), taken=frozenset({key("b")}))
    assert refused.value.hint in {
        f"did you mean toy/cluster1/{one}?" for one in ("a or toy/cluster1/c", "c or toy/cluster1/a")
    }
    carry_out(here, plan(here, toy("b")))
    assert not plan(here, toy("a"), taken=frozenset({key("b")})).plan.empty


def test_addresses_of_nothing_in_the_file_are_told_all_at_once_with_their_places(here: Session) -> None:
    leave = {
        key("b"): Origin("mesh.yaml", 9, 5),
        key("z"): Origin("mesh.yaml", 8, 5),
        A: Origin("mesh.yaml", 7, 5),
    }
    with pytest.raises(InputError) as refused:
        check_file(leave, {A: None})
    first, second = str(refused.value).splitlines()
    said = "cannot be left to others: it is not a resource of this mesh: did you mean toy/cluster1/a?"
    assert first == f"mesh.yaml:8:5: spec.leave: toy/cluster1/z {said}"
    assert second == f"mesh.yaml:9:5: spec.leave: toy/cluster1/b {said}"


EVERY: dict[str, Provider[Any]] = {**all_kinds(), "toy": ToyProvider()}
"""Every kind of this package, and one from outside."""
VICTIM = Live(
    {"values": {"x": 1}, "name": "x"},
    "uid:1",
    "uid",
    status={"view": None},
    owner="helm release shop/payments",
)


def planned_removal(kind: Provider[Any], found: Live, last: Last, *, all_of_it: bool = False) -> Action:
    address = Key(kind.kind, "cluster2", "victim")
    state = State("demo", "lineage", entries={address: Entry(last)})
    options = PlanOptions(destroy=True, include_adopted=all_of_it)
    now = datetime(2026, 1, 1, tzinfo=UTC)
    return removal(Inputs({}, {}, (), {address: found}, state, now, options), kind, address, last).action


@pytest.mark.parametrize("name", sorted(EVERY))
@given(
    owner=st.sampled_from(
        ["", "helm release shop/payments", "other", "field manager kubectl", "field manager mesh/else"]
    ),
    created=st.booleans(),
    uid=st.sampled_from(["", "uid", "old"]),
    status=st.sampled_from(["ok", OPEN]),
    fields=st.dictionaries(st.sampled_from(["values.x", "name"]), st.just("digest")),
    all_of_it=st.booleans(),
)
def test_no_forged_entry_of_any_kind_deletes_or_changes_what_carries_no_mark(
    name: str,
    owner: str,
    created: bool,
    uid: str,
    status: str,
    fields: dict[str, str],
    all_of_it: bool,
) -> None:
    forged = Last(Place("shop", "x"), fields, created=created, uid=uid, status=status, told=not created)
    found = replace(VICTIM, owner=owner)
    assert planned_removal(EVERY[name], found, forged, all_of_it=all_of_it) is Action.FORGET


@pytest.mark.parametrize("name", sorted(EVERY))
def test_of_every_kind_what_carries_the_mark_and_the_recorded_uid_is_removed(name: str) -> None:
    kind = EVERY[name]
    last = Last(Place("shop", "x"), uid="uid")
    by_others = bool(ask.awaited(kind, Key(name, "cluster2", "victim")))
    assert planned_removal(kind, replace(VICTIM, owner="demo"), last) is (
        Action.FORGET if by_others else Action.DELETE
    )
    other = planned_removal(kind, replace(VICTIM, owner="demo"), replace(last, uid="old"))
    assert other is (Action.DELETE if not kind.keeps_uid else Action.FORGET)


def test_after_an_interrupted_step_the_mark_alone_proves_what_is_in_the_cluster() -> None:
    last = Last(Place("", "x"), uid="old", status=OPEN)
    assert unproven(ToyProvider(), A, replace(VICTIM, owner="demo"), last, "demo") == ""
    assert "carries no mark" in unproven(ToyProvider(), A, VICTIM, last, "demo")


def test_an_adoption_counts_only_if_a_run_from_this_folder_saw_it() -> None:
    chart = EVERY["chart"]
    last = Last(Place("shop", "x"), created=False)
    assert unproven(chart, Key("chart", "a", "x"), VICTIM, last, "demo") == ""
    assert "carries no mark" in unproven(
        chart, Key("chart", "a", "x"), VICTIM, replace(last, told=True), "demo"
    )
