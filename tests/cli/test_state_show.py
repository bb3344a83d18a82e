"""`mesh state show`: a row for the lockfile and one for each cluster, and what is wrong with each."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mesh.cli.state_show import shown, shown_json
from mesh.engine.session import Session
from mesh.model import NO_CLUSTER, Key
from mesh.state import slices
from mesh.state.lease import Leases
from mesh.state.lease_holder import Holder
from tests.cli.unreachable import Unreachable
from tests.engine.toy import carry_out, plan, toy, toys, without_config_maps

ALICE = Holder("alice", "laptop", 4711, "2026-01-01T00:00:00+00:00", "apply", "line", "word:1")


def rows(here: Session) -> dict[str, Any]:
    return {row["where"]: row for row in json.loads(shown_json(here))}


def test_an_empty_state_has_a_row_in_every_place(here: Session) -> None:
    found = rows(here)
    assert list(found) == ["mesh.lock", "cluster cluster1", "cluster cluster2"]
    assert found["mesh.lock"]["problem"] == "the state is empty"
    assert found["cluster cluster2"]["problem"] == "stores no copy of the state"


def test_a_cluster_counts_its_own_resources(here: Session) -> None:
    carry_out(here, plan(here, toy("a"), toy("b"), toy("c", "cluster2")))
    state, found = here.store.read("demo"), rows(here)
    assert [row["resources"] for row in found.values()] == [3, 2, 1]
    assert {(row["lineage"], row["serial"], row["run"]) for row in found.values()} == {
        (state.lineage, state.serial, state.run)
    }
    first, second, *_ = shown(here).splitlines()
    assert first.split() == ["WHERE", "LINEAGE", "SERIAL", "RUN", "RESOURCES", "UNFINISHED"]
    assert second.split() == ["mesh.lock", state.lineage[:8], "1", state.run[:8], "3", "0"]


def test_what_belongs_to_no_cluster_is_counted_for_none(here: Session) -> None:
    carry_out(here, plan(here, toy("a")))
    state = here.store.read("demo")
    root = state.with_entry(Key("toy", NO_CLUSTER, "root"), next(iter(state.entries.values())))
    slices.write(root, "cluster1", toys(here.world, "cluster1"))
    assert rows(here)["cluster cluster1"]["resources"] == 1


def test_a_lockfile_that_cannot_be_read_is_a_problem_of_its_row_only(here: Session) -> None:
    carry_out(here, plan(here, toy("a")))
    here.store.path.write_text("{")
    found = rows(here)
    assert found["mesh.lock"]["problem"] != ""
    assert found["cluster cluster1"]["resources"] == 1
    assert f"\nmesh.lock: {found['mesh.lock']['problem']}\n" in shown(here)


def test_a_held_lease_names_its_holder(here: Session) -> None:
    leases = Leases("demo", ALICE, here.world.clock, {"cluster2": toys(here.world, "cluster2")})
    lease = {**leases._lease("run-1"), "metadata": {**leases._lease("run-1")["metadata"], "uid": "u"}}
    toys(here.world, "cluster2").apply(lease)
    assert "\ncluster cluster2: locked by alice@laptop, process 4711: apply" in shown(here)
    assert rows(here)["cluster cluster1"]["locked"] == ""


def test_a_cluster_that_does_not_answer_is_a_problem_with_the_next_move(unreachable: Unreachable) -> None:
    answer = unreachable("state", "show")
    assert answer.code == 0
    assert "cluster cluster1 (context cluster1): https://127.0.0.1:1 cannot be reached" in answer.out
    assert answer.out.count("; check that the API server runs and can be reached\n") == 2


def test_a_copy_that_could_not_be_read_is_not_a_missing_one(
    here: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    carry_out(here, plan(here, toy("a")))
    without_config_maps(monkeypatch, "cluster2")
    problem = rows(here)["cluster cluster2"]["problem"]
    assert problem == "its copy of the state could not be read: the server is overloaded"
    assert not rows(here)["cluster cluster1"]["problem"]
