from __future__ import annotations

from dataclasses import replace

import pytest

from mesh.cli.views.progress import Event, StepPhase
from mesh.cli.views.result import Failure, RunSummary, result_json, result_text
from mesh.cli.views.tally import tally
from mesh.model import Action

PARTIAL = RunSummary(
    "apply",
    added=3,
    changed=1,
    failures=(
        Failure("chart/c2/base", "helm said no\nline \x1b two", "look at the pods"),
        Failure("a/b/c", "x"),
    ),
    skipped=(("chart/c2/istiod", "needs chart/c2/base"),),
    deferred=(
        ("cert/c3/cacerts", "c3 could not be read: timed out"),
        ("chart/c3/base", "c3 could not be read: timed out"),
    ),
    end="incomplete",
    resume="mesh apply -f mesh.yaml",
)


@pytest.mark.parametrize(
    ("result", "line"),
    [
        (RunSummary("apply", 3, 1, 0), "Apply complete! Resources: 3 added, 1 changed, 0 destroyed.\n"),
        (
            RunSummary("apply", 0, 1, 0, 2),
            "Apply complete! Resources: 2 imported, 0 added, 1 changed, 0 destroyed.\n",
        ),
        (RunSummary("destroy", destroyed=12), "Destroy complete! Resources: 12 destroyed.\n"),
        (
            RunSummary("destroy", destroyed=12, changed=8),
            "Destroy complete! Resources: 12 destroyed, 8 given back.\n",
        ),
        (
            RunSummary("destroy", destroyed=1, resume="mesh destroy"),
            "Destroy complete! Resources: 1 destroyed.\n",
        ),
    ],
)
def test_the_last_line_is_terraforms(result: RunSummary, line: str) -> None:
    assert result_text(result) == line


def test_failures_come_last_but_for_the_command_to_resume() -> None:
    assert result_text(PARTIAL) == (
        "Apply incomplete! Resources: 3 added, 1 changed, 0 destroyed.\n\n"
        "Skipped:\n  chart/c2/istiod: needs chart/c2/base\n\n"
        "error: chart/c2/base: helm said no\n  line \\x1b two\n hint: look at the pods\n\n"
        "error: a/b/c: x\n\n"
        "Resume with: mesh apply -f mesh.yaml\n"
    )


def test_an_interrupted_run_says_so() -> None:
    text = result_text(RunSummary("destroy", destroyed=2, end="interrupted", resume="mesh destroy"))
    assert text == "Destroy interrupted! Resources: 2 destroyed.\n\nResume with: mesh destroy\n"


def test_colour_marks_what_went_wrong() -> None:
    assert result_text(PARTIAL, colour=True).startswith("\x1b[31mApply incomplete!")
    assert result_text(RunSummary("apply"), colour=True).startswith("\x1b[32mApply complete!")


def test_json_names_the_way_on_only_if_there_is_one() -> None:
    assert result_json(PARTIAL)["resume"] == "mesh apply -f mesh.yaml"
    done = replace(PARTIAL, failures=(), skipped=(), deferred=(), end="complete")
    assert (result_json(done)["complete"], result_json(done)["resume"]) == (True, "")


def test_the_last_event_of_each_step_counts() -> None:
    events = [Event("c", "a/c/1", action, StepPhase.STARTED) for action in Action]
    events += [Event("c", f"a/c/{action.name}", action, StepPhase.DONE) for action in Action]
    events += [
        Event("c", "a/c/f", Action.CREATE, StepPhase.FAILED, "no", 1.0, "try"),
        Event("c", "a/c/s", Action.CREATE, StepPhase.SKIPPED, "needs a/c/f"),
        Event("d", "a/d/d", Action.CREATE, StepPhase.DEFERRED, "no route"),
    ]
    assert tally("apply", events, end="incomplete", resume="mesh apply") == RunSummary(
        "apply",
        added=2,
        changed=1,
        destroyed=2,
        imported=1,
        failures=(Failure("a/c/f", "no", "try"),),
        skipped=(("a/c/s", "needs a/c/f"),),
        deferred=(("a/d/d", "no route"),),
        end="incomplete",
        resume="mesh apply",
    )
