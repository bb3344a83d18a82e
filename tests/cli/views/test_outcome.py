"""The outcome of a run, and the error of a plan, as Markdown that nothing in them can break."""

from __future__ import annotations

import io
import json
from html import unescape

from mesh.cli.views.outcome import MAX_SHOWN, error_markdown, is_complete, outcome_markdown, summary_of
from mesh.cli.views.progress import Event, JsonProgress, StepPhase
from mesh.cli.views.result import Failure, RunSummary
from mesh.errors import InputError, MeshError, Problem, StalePlanError
from mesh.model import Action
from mesh.world.clock import SystemClock

RUN = "https://ci.example/1"


def events(result: RunSummary) -> str:
    stream = io.StringIO()
    JsonProgress(stream, SystemClock()).result(result)
    return stream.getvalue()


def refusal(error: MeshError) -> str:
    stream = io.StringIO()
    JsonProgress(stream, SystemClock()).refused(error)
    return stream.getvalue()


def test_the_last_line_of_a_run_is_its_outcome() -> None:
    found = summary_of(events(RunSummary("apply", added=3, changed=1)) + "not json\n")
    assert is_complete(found)
    text = unescape(outcome_markdown(found, RUN))
    assert text == f"**Apply complete! Resources: 3 added, 1 changed, 0 destroyed.** ([run]({RUN}))\n"


def test_failures_are_listed_and_inert() -> None:
    failures = tuple(Failure(f"chart/c{n}/istiod", "@all <b>x</b> `y`") for n in range(MAX_SHOWN + 2))
    found = summary_of(events(RunSummary("apply", failures=failures, end="incomplete")))
    assert not is_complete(found)
    text = outcome_markdown(found, "")
    assert unescape(text).startswith("**Apply incomplete!")
    assert "- and 2 more" in text
    assert "<b>" not in text
    assert "@all" not in text


def test_a_run_without_a_last_line_did_not_end_by_itself() -> None:
    cut = events(RunSummary("apply")).splitlines()[0]
    assert summary_of(cut) is None
    assert "ended without a result" in outcome_markdown(None, RUN)
    assert not is_complete(None)


def test_a_run_that_was_refused_says_why_in_a_fence() -> None:
    found = summary_of(refusal(StalePlanError("the plan is another:\n```\n@all", hint="plan again")))
    assert not is_complete(found)
    text = outcome_markdown(found, RUN)
    assert text.startswith(f"**The run was refused, nothing was changed.** ([run]({RUN}))\n\n````\n")
    assert "Error: the plan is another:" in text
    assert "hint: plan again" in text


def test_each_mistake_of_a_file_is_told_in_order() -> None:
    problems = (
        Problem("mesh.yaml", 1, 2, "spec", "is missing", "add it"),
        Problem("mesh.yaml", 3, 4, "x", "is odd"),
    )
    found = summary_of(refusal(InputError(problems)))
    assert found
    first, second = found["@message"].splitlines()
    assert first.startswith("Error: mesh.yaml:1:2: spec: is missing")
    assert second.startswith("Error: mesh.yaml:3:4: x: is odd")


def test_the_last_of_several_runs_counts() -> None:
    done = events(RunSummary("apply", added=1))
    assert outcome_markdown(summary_of(done + refusal(StalePlanError("no"))), "").startswith(
        "**The run was refused"
    )
    assert is_complete(summary_of(refusal(StalePlanError("no")) + done))
    killed = done + events(RunSummary("apply")).splitlines()[0]
    assert summary_of(killed) is None


def test_a_run_that_had_begun_does_not_say_that_nothing_was_changed() -> None:
    stream = io.StringIO()
    progress = JsonProgress(stream, SystemClock())
    progress.event(Event("c1", "chart/c1/istiod", Action.UPDATE, StepPhase.STARTED))
    progress.refused(StalePlanError("the lease is lost\x1b[31m"))
    text = outcome_markdown(summary_of(stream.getvalue()), "")
    assert text.startswith("**The run stopped.**")
    assert "nothing was changed" not in text
    assert "\x1b" not in stream.getvalue() + text
    # The first of several runs had.
    assert "nothing was changed" not in outcome_markdown(
        summary_of(stream.getvalue() + refusal(StalePlanError("no"))), ""
    )


def test_a_warning_is_no_refusal() -> None:
    stream = io.StringIO()
    JsonProgress(stream, SystemClock()).note("Warning: slow")
    assert summary_of(stream.getvalue()) is None


def test_hostile_lines_are_passed_over() -> None:
    assert summary_of("[" * 100_000 + "\n" + json.dumps(["change_summary"])) is None
    text = outcome_markdown({"@message": 5, "failures": "x", "skipped": [1, {"address": None}]}, "")
    assert text.startswith("**5**")


def test_the_error_of_a_plan_is_shown_in_a_fence_that_it_cannot_close() -> None:
    text = error_markdown("prod", "error: refused\n```\n@all\x1b[31m\n", RUN)
    first, _, rest = text.partition("\n")
    assert first == ""
    assert "**The plan could not be made.**" in rest
    assert "````\n" in rest
    assert "\x1b" not in rest
