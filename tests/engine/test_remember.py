"""What the state holds of a resource after its step."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from mesh.engine.session import Session
from mesh.model import Action, Key
from tests.engine import every_kind
from tests.engine.toy import carry_out, key, plan, toy, toys
from tests.engine.wishes import left

A = key("a")


def test_needs_that_turned_round_are_recorded_though_nothing_else_changes(here: Session) -> None:
    carry_out(here, plan(here, toy("a"), toy("b", needs=frozenset({key("a")}))))
    turned = [toy("a", needs=frozenset({key("b")})), toy("b")]
    carry_out(here, plan(here, *turned))
    removal = plan(here)
    assert [step.key for step in removal.plan.steps] == [key("a"), key("b")]
    assert not carry_out(here, removal).failed


def test_what_others_had_set_before_is_remembered_as_theirs(here: Session) -> None:
    kube = toys(here.world, "cluster1")
    kube.put("a", {"x": 1}, owner="somebody")
    adopted = replace(toy("a", x=1, y=2), adopt=True)
    kube.broken.add("a")
    assert carry_out(here, plan(here, adopted)).failed == (A,)
    kube.broken.clear()
    for _ in range(2):
        carry_out(here, plan(here, adopted))
        last = here.store.read("demo").entries[A].last
        assert (last.created, last.status, last.theirs) == (False, "ok", {"values.x"})


def test_what_was_recorded_before_it_is_left_is_forgotten(here: Session) -> None:
    toys(here.world, "cluster1").put("a", {"out": 1}, owner="somebody")
    carry_out(here, plan(here, toy("a", out=1)))
    assert set(here.store.read("demo").entries) == {A}
    carry_out(left(here, "a"), plan(left(here, "a"), toy("a", out=2)))
    assert here.store.read("demo").entries == {}


def test_digests_of_hidden_values_in_an_older_record_are_replaced_by_the_next_apply(tmp_path: Path) -> None:
    wish = {
        "label": "net1",
        "secret": "licence one",
        "crds": "v1.3.0",
        "cacerts": 365,
        "istiod": {"a": 0, "password": "hunter2"},
        "base": {"a": 0},
    }
    here = every_kind.open_session(tmp_path)
    every_kind.carry_out(here, wish)
    new = here.store.read("demo")
    older = {"chart/cluster1/istiod": "values.password", "secret/cluster1/licence": "data.license-key"}
    for name, path in older.items():
        entry = here.store.read("demo").entries[Key.parse(name)]
        assert entry.last.fields[path] == "*"
        last = replace(entry.last, fields={**entry.last.fields, path: "0123456789ab"})
        here.store.write(here.store.read("demo").with_entry(Key.parse(name), replace(entry, last=last)))
    assert not every_kind.plan(here, wish).plan.steps
    every_kind.carry_out(here, wish)
    assert here.store.read("demo").entries == new.entries


def test_an_object_made_again_by_others_is_recorded_and_can_be_removed(here: Session) -> None:
    carry_out(here, plan(here, toy("a", out=1), toy("b", out=1)))
    kube = toys(here.world, "cluster1")
    kube.toys["a"]["uid"] = "from-a-backup"
    again = plan(here, toy("a", out=1), toy("b", out=1))
    assert again.plan.empty
    carry_out(here, again)
    assert here.store.read("demo").entries[key("a")].last.uid == "from-a-backup"
    left = plan(here, toy("b", out=1))
    assert [(each.action, each.key) for each in left.plan.steps] == [(Action.DELETE, key("a"))]


def test_an_object_of_others_in_its_place_is_not_recorded_as_ours(here: Session) -> None:
    carry_out(here, plan(here, toy("a", out=1), toy("b", out=1)))
    toys(here.world, "cluster1").toys["a"] |= {"uid": "theirs", "owner": "somebody"}
    carry_out(here, plan(here, toy("a", out=1), toy("b", out=1)))
    left = plan(here, toy("b", out=1))
    assert [(each.action, each.key) for each in left.plan.steps] == [(Action.FORGET, key("a"))]
