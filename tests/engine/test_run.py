"""One run: what stops it before the first write, what it records, and what it leaves."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from mesh.engine.run import Run
from mesh.engine.run_options import Hooks, RunOptions
from mesh.engine.session import Planned, Session
from mesh.engine.task import tasks_of
from mesh.engine.verbs import apply
from mesh.errors import LockedError, StalePlanError
from mesh.model import Key, Step
from mesh.model.refs import Ref
from tests.engine.toy import carry_out, key, open_session, plan, toy, toys

A, B = key("a"), key("b")


def started(here: Session, planned: Planned, options: RunOptions | None = None) -> Run:
    tasks = tasks_of(here, planned)
    with Run.open(here, planned, tasks, planned.state, options or RunOptions(timeout=5)) as run:
        return run


def test_a_plan_is_stale_after_another_run_and_then_nothing_is_written(here: Session) -> None:
    planned = plan(here, toy("a", out=1))
    carry_out(here, plan(here, toy("b", out=1)))
    before = here.store.path.read_bytes()
    with pytest.raises(StalePlanError):
        started(here, planned)
    assert here.store.path.read_bytes() == before
    assert toys(here.world, "cluster1").writes == ["b"]


def test_a_run_has_the_next_serial_and_an_id_of_its_own(here: Session) -> None:
    carry_out(here, plan(here, toy("a", out=1)))
    first = here.store.read("demo")
    carry_out(here, plan(here, toy("a", out=2)))
    second = here.store.read("demo")
    assert (first.serial, second.serial, first.lineage) == (1, 2, second.lineage)
    assert first.run != second.run
    assert second.clusters["cluster1"].uid == "uid-of-cluster1"


def test_a_step_in_a_cluster_of_which_the_lease_is_lost_is_not_begun(here: Session) -> None:
    run = started(here, plan(here, toy("a", out=1), toy("c", "cluster2", out=1)))
    run.held.denied["cluster1"] = "no route"
    outcome = run.work(A)
    assert isinstance(outcome.error, LockedError)
    assert outcome.error.message == "no route"
    assert run.work(key("c", "cluster2")).good
    assert (toys(here.world, "cluster1").writes, toys(here.world, "cluster2").writes) == ([], ["c"])


def test_what_needs_a_failed_step_is_skipped_for_its_sake(here: Session) -> None:
    toys(here.world, "cluster1").broken.add("a")
    skipped: list[tuple[Key, Key]] = []
    hooks = Hooks(skipped=lambda step, because: skipped.append((step.key, because)))
    planned = plan(here, toy("a", out=1), toy("b", x=Ref(A, "out")))
    result = apply(here, planned, RunOptions(hooks, timeout=5))
    assert (result.failed, result.because, result.end) == ((A,), {B: A}, "incomplete")
    assert skipped == [(B, A)]


def test_after_a_stop_the_rest_is_not_begun_and_the_run_is_interrupted(here: Session) -> None:
    done: list[Step] = []
    hooks = Hooks(finished=lambda step, _outcome: done.append(step))
    planned = plan(here, toy("a", out=1), toy("b", x=Ref(A, "out")))
    result = apply(here, planned, RunOptions(hooks, stopping=lambda: bool(done), timeout=5))
    assert (result.unstarted, result.end) == (frozenset({B}), "interrupted")
    assert set(here.store.read("demo").entries) == {A}


def test_a_resource_that_is_left_to_its_owner_is_not_recorded(tmp_path: Path) -> None:
    here = open_session(tmp_path)
    planned = plan(here, toy("a", out=1))
    run = started(here, planned)
    run.worker = replace(run.worker, left=frozenset({A}))
    run.after(A, run.work(A))
    assert run.progress.state.entries == {}
