"""The pipeline of apply and destroy: what ends it before the first write, and what it reports."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mesh.cli import run
from mesh.cli.process import Process
from mesh.cli.run import _planned, _run, carry_out
from mesh.cli.run_request import RunRequest
from mesh.cli.signals import stopping
from mesh.engine.session import Planned, Session
from mesh.errors import InterruptedRunError, LockedError
from mesh.model import Live, Ready, not_yet
from mesh.state.lease import Leases
from mesh.state.lease_holder import Holder, look
from mesh.state.store import Store
from mesh.world import Object
from mesh.world.kube.errors import Call, Failed
from tests.cli.requests import APPLY
from tests.engine.toy import Kube, Toy, ToyProvider, key, plan, toy, toys

ALICE = Holder("alice", "laptop", 4711, "2026-01-01T00:00:00+00:00", "apply", "line", "word:1")


class Uids(Kube):
    """An API server that gives what it creates a uid, as leases need it."""

    def create(self, obj: Object, **_how: Any) -> Object:
        return self.apply({**obj, "metadata": {**obj["metadata"], "uid": "u"}})


@pytest.fixture
def here(here: Session) -> Iterator[Session]:
    """Return the session with its file lock held, as the pipeline holds it."""
    kubes = {name: Uids(name) for name in here.world.kubes}
    with here.store.held("apply", here.world.clock.now()):
        yield replace(here, world=replace(here.world, kubes=kubes))


def one(session: Session) -> Planned:
    return plan(session, toy("a", out=1), toy("b", out=2))


def lock(here: Session, holder: Holder) -> None:
    """Leave the lease of a run in cluster2."""
    kube = toys(here.world, "cluster2")
    kube.create(Leases("demo", holder, here.world.clock, {})._lease("run-1"))


def test_nothing_is_planned_while_another_run_holds_a_lease(here: Session) -> None:
    lock(here, ALICE)
    planned: list[Session] = []

    def never(session: Session) -> Planned:
        planned.append(session)
        return one(session)

    with pytest.raises(LockedError, match="alice@laptop"):
        _planned(APPLY, here, Process(), never)
    assert planned == []


def test_the_lease_of_a_dead_run_of_this_folder_stops_no_plan(here: Session) -> None:
    lock(here, Holder.here("apply", "line", here.store.place(), here.world.clock.now()))
    planned, stale = _planned(APPLY, here, Process(), one)
    assert (len(planned.plan.steps), stale) == (2, {"cluster2"})


def test_the_lease_of_a_dead_run_of_this_folder_is_cleared_although_nothing_is_to_be_done(
    here: Session,
) -> None:
    assert _run(APPLY, here, one(here), Process(), out=sys.stdout, err=sys.stderr).end == "complete"
    lock(here, Holder.here("apply", "line", here.store.place(), here.world.clock.now()))
    planned, stale = _planned(APPLY, here, Process(), one)
    assert planned.plan.steps == ()
    _run(APPLY, here, planned, Process(), stale, out=sys.stdout, err=sys.stderr)
    assert look("demo", toys(here.world, "cluster2")) is None


def test_a_run_that_cannot_lock_a_cluster_says_so_first(
    here: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    class Broken(Uids):
        def create(self, obj: Object, **how: Any) -> Object:
            raise Failed(Call("cluster2", "", "create", "leases"), "503: no", status=503)

    kubes = {**here.world.kubes, "cluster2": Broken("cluster2")}
    here = replace(here, world=replace(here.world, kubes=kubes))
    planned = plan(here, toy("a", out=1), toy("b", cluster="cluster2", out=2))
    result = _run(APPLY, here, planned, Process(), out=sys.stdout, err=sys.stderr)
    assert (result.end, toys(here.world, "cluster2").toys) == ("incomplete", {})
    assert sorted(toys(here.world, "cluster1").toys) == ["a"]
    first = capsys.readouterr().err.splitlines()[0]
    assert first.startswith("Warning: cluster cluster2 could not be locked, so nothing is changed in it")


def test_a_stop_while_planning_changes_nothing(here: Session) -> None:
    process = Process()

    def interrupted(session: Session) -> Planned:
        process.stop.ask()
        return one(session)

    with pytest.raises(InterruptedRunError, match="interrupted, nothing was changed"):
        _planned(APPLY, here, process, interrupted)


@pytest.mark.parametrize(("parallelism", "as_json"), [(1, False), (4, True)])
def test_a_run_writes_and_reports_what_it_did(
    parallelism: int, as_json: bool, here: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    request = replace(APPLY, parallelism=parallelism, as_json=as_json)
    result = _run(request, here, one(here), Process(), out=sys.stdout, err=sys.stderr)
    assert result.end == "complete"
    assert sorted(toys(here.world, "cluster1").toys) == ["a", "b"]
    said = capsys.readouterr().out.splitlines()
    assert "Apply complete! Resources: 2 added, 0 changed, 0 destroyed." in said[-1]
    assert said[0].startswith("{") is as_json


def test_a_run_that_was_stopped_before_its_first_step_begins_none(
    here: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    planned, process = one(here), Process()
    process.stop.ask()
    result = _run(APPLY, here, planned, process, out=sys.stdout, err=sys.stderr)
    assert (result.end, toys(here.world, "cluster1").writes) == ("interrupted", [])
    assert "Resume with: mesh apply -f mesh.yaml" in capsys.readouterr().out


def test_a_signal_while_the_plan_prints_ends_before_any_question(
    here: Session, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    here = replace(here, store=Store(tmp_path / "other" / "mesh.lock"))
    asked: list[str] = []

    def show(_request: RunRequest, _session: Session, _planned: Planned) -> None:
        signal.raise_signal(signal.SIGINT)

    def ask(_request: RunRequest, _session: Session, _planned: Planned) -> None:
        asked.append("yes")

    monkeypatch.setattr(run, "BEFORE", (show, ask))
    monkeypatch.setattr(run, "_open", lambda _request, _process: here)
    with pytest.raises(InterruptedRunError, match="interrupted, nothing was changed"):
        carry_out(APPLY, one)
    assert asked == []
    assert toys(here.world, "cluster1").toys == {}


def test_a_stopped_run_tells_what_was_carried_out_from_what_was_skipped_and_says_each_once(
    here: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    class Slow(ToyProvider):
        def ready(self, spec: Toy, live: Live) -> Ready:
            return not_yet("0 of 1 pods ready")

    process = Process()

    def say(_about: str, _why: str) -> None:
        if not process.stop():
            os.kill(os.getpid(), signal.SIGINT)

    here = replace(here, kinds={"toy": Slow()}, world=replace(here.world, say=say))
    planned = plan(here, toy("a"), toy("b", needs=frozenset({key("a")})))
    with stopping(process.stop, process.notices.say, process.children.stop):
        result = _run(APPLY, here, planned, process, out=sys.stdout, err=sys.stderr)
    assert result.end == "interrupted"
    out, err = capsys.readouterr()
    assert "Not ready yet:\n  toy/cluster1/a: created, but not ready yet: 0 of 1 pods ready" in out
    assert err.count("interrupted: no more steps are started") == 1
    assert (out + err).count("Resume with") == 1
    assert "skipped" not in err
