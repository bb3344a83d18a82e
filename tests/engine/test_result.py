"""How a run ended, and the error that it ends with."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from mesh.engine.outcome import Outcome, done, guarded
from mesh.engine.result import RunResult, check, end_of
from mesh.engine.session import Planned, Session
from mesh.errors import MeshError, PartialError, RefusedError, StalePlanError
from mesh.model import Action, Deferral
from tests.engine.toy import carry_out, key, plan, toy, toys
from tests.support.steps import step

A, B = key("a"), key("b")
BAD = Outcome(error=MeshError("helm said no"))
REFUSED = Outcome(error=RefusedError("not without --take", hint="add it"))


@pytest.fixture
def planned(here: Session) -> Planned:
    return plan(here, toy("a"), toy("b"))


@pytest.mark.parametrize(
    ("outcomes", "stopped", "end"),
    [
        ({A: Outcome(), B: Outcome()}, False, "complete"),
        ({A: Outcome(), B: BAD}, False, "incomplete"),
        ({A: Outcome(stopped="no pod")}, False, "interrupted"),
        ({A: Outcome(), B: Outcome()}, True, "interrupted"),
    ],
)
def test_a_run_ends_in_one_of_three_ways(
    planned: Planned, outcomes: dict[object, Outcome], stopped: bool, end: str
) -> None:
    assert end_of(planned.plan, outcomes, stopped=stopped) == end  # type: ignore[arg-type]  # keys


def test_what_was_deferred_makes_a_run_incomplete(planned: Planned) -> None:
    late = replace(planned.plan, deferred=(Deferral(A, "does not answer"),))
    assert end_of(late, {}, stopped=False) == "incomplete"
    with pytest.raises(PartialError, match="1 failed, 1 deferred"):
        check(RunResult(replace(planned, plan=late), {B: BAD}))


def test_a_run_that_failed_only_by_refusals_is_refused(planned: Planned) -> None:
    check(RunResult(planned, {A: Outcome()}))
    with pytest.raises(RefusedError, match="not without --take"):
        check(RunResult(planned, {A: REFUSED}))
    with pytest.raises(PartialError, match="2 failed"):
        check(RunResult(planned, {A: REFUSED, B: BAD}))


def test_a_run_whose_steps_are_all_out_of_date_ends_as_a_stale_plan(planned: Planned) -> None:
    stale = Outcome(error=StalePlanError("changed since the plan", hint="plan again"))
    with pytest.raises(StalePlanError, match="changed since the plan") as error:
        check(RunResult(planned, {A: stale, B: Outcome()}))
    assert error.value.exit_code == 3
    with pytest.raises(PartialError, match="2 failed"):
        check(RunResult(planned, {A: stale, B: BAD}))


def test_a_defect_of_one_step_is_its_outcome() -> None:
    def broken() -> Outcome:
        raise KeyError("x")

    error = guarded(broken).error
    assert error is not None
    assert "internal error" in error.message


def test_a_deletion_that_left_the_object_only_forgot_it() -> None:
    removal = step("- toy/cluster1/a")
    assert done(removal, Outcome()) is Action.DELETE
    assert done(removal, Outcome(remarks=("it stays",))) is Action.FORGET


def test_the_folder_is_not_touched_by_a_plan(planned: Planned, tmp_path: Path) -> None:
    assert not (tmp_path / "mesh.lock").exists()


def test_a_destroy_without_its_lockfile_keeps_a_cluster_that_it_could_not_read(here: Session) -> None:
    wanted = (toy("a"), toy("far", "cluster2"))
    assert carry_out(here, plan(here, *wanted)).end == "complete"
    here.store.path.unlink()
    toys(here.world, "cluster2").down = True
    planned = plan(here)
    assert ([step.key for step in planned.plan.steps], planned.plan.complete) == ([A], False)
    result = carry_out(here, planned)
    assert result.end == "incomplete"
    with pytest.raises(PartialError, match="not read: cluster cluster2"):
        check(result)
    recorded = here.store.read("demo").clusters
    assert {name: who.uid for name, who in recorded.items()} == {"cluster2": ""}
    toys(here.world, "cluster2").down = False
    again = plan(here)
    assert [step.key for step in again.plan.steps] == [key("far", "cluster2")]
    assert carry_out(here, again).end == "complete"
    assert here.store.read("demo").clusters == {}
    assert plan(here).plan.empty


def test_a_destroy_that_could_read_nothing_records_nothing(here: Session) -> None:
    for name in here.world.kubes:
        toys(here.world, name).down = True
    planned = plan(here)
    assert (planned.plan.blind, planned.plan.empty) == (True, False)
    assert carry_out(here, planned).end == "incomplete"
    assert not here.store.path.exists()
