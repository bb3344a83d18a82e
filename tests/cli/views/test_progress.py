from __future__ import annotations

import io
import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.cli.progress_feed import ProgressFeed, Waits
from mesh.cli.views.live import LiveProgress
from mesh.cli.views.progress import Event, JsonProgress, Observer, PlainProgress, StepPhase, words
from mesh.cli.views.result import Failure, RunSummary
from mesh.cli.views.tally import tally
from mesh.engine.outcome import Outcome
from mesh.model import Action, Key, Step
from tests.cli.views.plans import RELAXED, TEXT

ISTIOD = "chart/cluster1/istiod"
BASE = "chart/c2/base"


class Watch:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        return datetime(2026, 1, 2, 12, 1, 7, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return 1_000 + self.seconds


def play(observer: Observer, watch: Watch) -> None:
    """Tell a short story: one step waits for long and is done, one fails, two are not begun."""

    def at(seconds: float, *events: Event) -> None:
        watch.seconds = seconds
        for event in events:
            observer.event(event)
        observer.tick(watch.monotonic())

    at(
        0,
        Event("cluster1", ISTIOD, Action.CREATE, StepPhase.STARTED),
        Event("c2", BASE, Action.UPDATE, StepPhase.STARTED),
    )
    at(2, Event("cluster1", ISTIOD, Action.CREATE, StepPhase.WAITING, "0 of 2 pods ready", 2))
    at(3.1, Event("c2", BASE, Action.UPDATE, StepPhase.FAILED, "helm said\nno \x1b[31m", 3.1))
    at(9.9)
    at(10)
    at(12, Event("cluster1", ISTIOD, Action.CREATE, StepPhase.WAITING, "1 of 2 pods ready", 12))
    at(20)
    at(21, Event("c2", "chart/c2/istiod", Action.CREATE, StepPhase.SKIPPED, f"needs {BASE}"))
    at(21.4, Event("cluster1", ISTIOD, Action.CREATE, StepPhase.DONE, "", 21.4))
    at(22, Event("c3", "cert/c3/cacerts", Action.CREATE, StepPhase.DEFERRED, "no route"))
    at(40, Event("c2", "link/c2/c1", Action.DELETE, StepPhase.DONE, "left the namespace", 0.3))
    observer.close()


def test_a_log_has_a_line_an_event_and_a_heartbeat_every_ten_seconds() -> None:
    stream, watch = io.StringIO(), Watch()
    play(PlainProgress(stream, watch, clusters=("cluster1", "c2")), watch)
    assert stream.getvalue() == (
        "12:01:07 cluster1  + chart/cluster1/istiod  creating\n"
        "12:01:07 c2        ~ chart/c2/base  updating\n"
        "12:01:10 c2        ~ chart/c2/base  failed (3.1s): helm said\\nno \\x1b[31m\n"
        "12:01:17 cluster1  + chart/cluster1/istiod  still waiting 10s: 0 of 2 pods ready\n"
        "12:01:27 cluster1  + chart/cluster1/istiod  still waiting 20s: 1 of 2 pods ready\n"
        "12:01:28 cluster1  + chart/cluster1/istiod  created (21.4s)\n"
        "12:01:47 c2        - link/c2/c1  destroyed (0.3s): left the namespace\n"
    )


def test_a_stream_has_an_object_a_line_version_first_and_summary_last() -> None:
    stream, watch = io.StringIO(), Watch()
    progress = JsonProgress(stream, watch)
    play(progress, watch)
    progress.result(RunSummary("apply", added=1, failures=(Failure(BASE, "helm said no"),), end="incomplete"))
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert lines[0]["type"] == "version"
    assert lines[0]["ui"] == "1.0"
    assert [line["type"] for line in lines[1:4]] == ["apply_start", "apply_start", "apply_progress"]
    assert lines[4]["hook"] == {
        "resource": {"addr": BASE, "cluster": "c2"},
        "action": "update",
        "elapsed_seconds": 3.1,
        "text": "helm said\nno \x1b[31m",
    }
    assert (lines[4]["@level"], lines[4]["@timestamp"]) == ("error", "2026-01-02T12:01:10.100Z")
    assert lines[-1]["type"] == "change_summary"
    assert lines[-1]["changes"] == {"add": 1, "change": 0, "import": 0, "remove": 0}
    assert stream.getvalue().replace("\n", "").isprintable()


@pytest.mark.parametrize("colour", [True, False])
def test_lanes_show_what_is_waited_for_and_leave_only_finished_lines(colour: bool) -> None:
    stream, watch = io.StringIO(), Watch()
    play(LiveProgress(stream, watch, colour=colour, width=100), watch)
    text = stream.getvalue()
    assert ("\x1b[32m" in text) is colour
    bare = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", text)
    assert "cluster1\n  + chart/cluster1/istiod  creating 2s  0 of 2 pods ready" in bare
    assert "12:01:10 c2  ~ chart/c2/base  failed (3.1s): helm said\\nno \\x1b[31m\n" in bare
    assert "12:01:28 cluster1  + chart/cluster1/istiod  created (21.4s)\n" in bare
    assert text.rindex("\x1b[?25h") > text.rindex("\x1b[?25l")
    assert "\n" not in text[text.rindex("\x1b[?25h") :]


EVENTS = st.builds(
    Event,
    TEXT,
    TEXT,
    st.sampled_from(Action),
    st.sampled_from(StepPhase),
    TEXT,
    st.floats(0, 1e6, allow_nan=False),
)


@RELAXED
@given(st.lists(EVENTS, max_size=6), st.lists(st.floats(0, 100), max_size=6))
def test_a_log_never_holds_an_escape_byte(events: list[Event], waits: list[float]) -> None:
    for kind in (PlainProgress, JsonProgress):
        stream, watch = io.StringIO(), Watch()
        observer: Observer = kind(stream, watch)
        for event, wait in zip(events, waits, strict=False):
            observer.event(event)
            watch.seconds += wait
            observer.tick(watch.monotonic())
        observer.close()
        assert stream.getvalue().replace("\n", "").isprintable()
        if kind is JsonProgress:
            assert all(json.loads(line)["type"] for line in stream.getvalue().splitlines())


def test_a_deletion_that_left_the_thing_is_not_counted_as_one() -> None:
    seen = PlainProgress(io.StringIO(), Watch())
    teller = ProgressFeed(seen, Waits(), lambda: 0.0)
    for name, remarks in (("one", ()), ("two", ("namespace two stays, it holds: configmaps/mine",))):
        step = Step(Action.DELETE, Key("namespace", "c1", name))
        teller.started(step)
        teller.finished(step, Outcome(remarks=remarks))
    assert tally("destroy", teller.events).head() == "Destroy complete! Resources: 1 destroyed."
    assert words(teller.events[-1]) == "forgotten (0.0s): namespace two stays, it holds: configmaps/mine"
