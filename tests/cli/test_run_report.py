"""The end of a run: warnings on stderr, the summary on stdout."""

from __future__ import annotations

import io
import json
import sys
from dataclasses import replace

import pytest

from mesh.cli.progress_feed import ProgressFeed, Waits
from mesh.cli.run_report import report
from mesh.cli.views.progress import JsonProgress, Observer, PlainProgress
from mesh.engine.outcome import Outcome
from mesh.engine.result import RunResult
from mesh.engine.session import Session
from mesh.errors import KubeError
from mesh.model import Action, Step
from tests.cli.requests import APPLY
from tests.engine.toy import key, plan, toy, toys


def played(observer: Observer) -> ProgressFeed:
    """A run in which one step is done and one fails."""
    feed = ProgressFeed(observer, Waits(), lambda: 0.0)
    for name, error in (("a", None), ("b", KubeError("b is broken", hint="fix b"))):
        step = Step(Action.CREATE, key(name))
        feed.started(step)
        feed.finished(step, Outcome(error=error))
    return feed


def test_a_run_ends_with_its_summary_and_warnings_do_not_mix_with_it(
    here: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    feed = played(PlainProgress(io.StringIO(), here.world.clock))
    result = RunResult(plan(here, toy("a")), warnings=("odd \x1b[31m",), end="incomplete")
    report(APPLY, here, result, feed, sys.stdout, sys.stderr)
    out, err = capsys.readouterr()
    assert err == "Warning: odd \\x1b[31m\n"
    assert out == (
        "Apply incomplete! Resources: 1 added, 0 changed, 0 destroyed.\n\n"
        "error: toy/cluster1/b: b is broken\n hint: fix b\n\n"
        "Resume with: mesh apply -f mesh.yaml\n"
    )


def test_json_progress_ends_with_the_summary_as_json(
    here: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    stream = io.StringIO()
    feed = played(JsonProgress(stream, here.world.clock))
    report(
        replace(APPLY, as_json=True),
        here,
        RunResult(plan(here, toy("a")), end="incomplete"),
        feed,
        sys.stdout,
        sys.stderr,
    )
    last = json.loads(stream.getvalue().splitlines()[-1])
    assert (last["type"], last["complete"], last["changes"]["add"]) == ("change_summary", False, 1)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("destroy", [True, False])
def test_only_a_destroy_names_what_stays(
    destroy: bool, here: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    meta = {"name": "istio-ca-root-cert", "namespace": "shop"}
    toys(here.world, "cluster1").apply({"kind": "ConfigMap", "metadata": meta})
    feed = ProgressFeed(PlainProgress(io.StringIO(), here.world.clock), Waits(), lambda: 0.0)
    report(
        replace(APPLY, destroy=destroy), here, RunResult(plan(here, toy("a"))), feed, sys.stdout, sys.stderr
    )
    err = capsys.readouterr().err
    said = "Warning: cluster cluster1: ConfigMap istio-ca-root-cert created by istiod stays in shop\n"
    assert err == (said if destroy else "")
