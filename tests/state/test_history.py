"""The history that clusters keep, from values alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from mesh.cli.views.history import history_json, history_text
from mesh.engine.outcome import Outcome
from mesh.engine.result import end_of
from mesh.engine.run_record import history_entry
from mesh.errors import KubeError, StateError
from mesh.model import Action, Deferral, Key, Plan, Step
from mesh.state.history import KEPT, LONGEST, PastRun, PastStep, added, from_text, joined, to_text
from mesh.state.lease_holder import Holder
from mesh.state.lockfile import State

DEEDS = (
    PastStep("+", "cert/-/root"),
    PastStep("+", "label/cluster1/istio-system"),
    PastStep("~", "label/cluster2/istio-system", done=False),
)
RUN = PastRun(
    run="r1",
    serial=1,
    verb="apply",
    who="ada",
    host="context",
    began="2026-01-01T00:00:00+00:00",
    ended="2026-01-01T00:01:00+00:00",
    digest="sha256:0123456789abcdef",
    end="incomplete",
    deeds=DEEDS,
)


def test_what_is_written_is_read_again() -> None:
    assert from_text(to_text([RUN, replace(RUN, run="r0", deeds=())]), "x") == (
        RUN,
        replace(RUN, run="r0", deeds=()),
    )
    assert from_text("", "x") == ()


def test_a_cluster_keeps_its_own_steps_and_those_of_no_cluster() -> None:
    assert [each.address for each in RUN.of("cluster1").deeds] == [
        "cert/-/root",
        "label/cluster1/istio-system",
    ]
    many = replace(RUN, deeds=tuple(PastStep("+", f"link/a/{number}") for number in range(LONGEST + 5)))
    assert (len(many.of("a").deeds), many.of("a").more) == (LONGEST, 5)


def test_the_newest_runs_are_kept_the_newest_first() -> None:
    text = ""
    for number in range(KEPT + 3):
        text = added(text, replace(RUN, run=f"r{number}", serial=number))
    assert [each.serial for each in from_text(text, "x")] == list(range(KEPT + 2, 2, -1))
    again = added(text, replace(RUN, run=f"r{KEPT + 2}", serial=KEPT + 2))
    assert [each.run for each in from_text(again, "x")] == [each.run for each in from_text(text, "x")]


@pytest.mark.parametrize("text", ["{", "[]", '{"run": 1}', '{"deeds": 3}', "null"])
def test_a_damaged_history_is_told_and_begun_anew(text: str) -> None:
    with pytest.raises(StateError, match="the history in cluster one cannot be read"):
        from_text(text, "cluster one")
    assert from_text(added(text, RUN), "x") == (RUN,)


def test_the_clusters_tell_one_story() -> None:
    newer = replace(RUN, run="r2", serial=2, end="complete", deeds=DEEDS[:2])
    held = {
        "cluster2": (newer.of("cluster2"), RUN.of("cluster2")),
        "cluster1": (RUN.of("cluster1"),),
    }
    newest, oldest = joined(held)
    assert (newest.run.serial, newest.clusters) == (2, ("cluster2",))
    assert (oldest.run, oldest.clusters) == (RUN, ("cluster1", "cluster2"))


def test_the_table_counts_by_sign_and_names_who_could_not_be_read() -> None:
    chapters = joined({"cluster1": (RUN.of("cluster1"),), "cluster2": (RUN.of("cluster2"),)})
    text = history_text(chapters, {"cluster3": "timed out"}, steps=True)
    head, row, *_ = text.splitlines()
    assert head.split() == [
        *("SERIAL", "WHEN", "WHO", "VERB", "END"),
        *("CHANGES", "CLUSTERS", "DIGEST"),
    ]
    assert "2026-01-01T00:01:00Z  ada@context  apply  incomplete  +2 1 not done  cluster1, cluster2" in row
    assert "  ~ label/cluster2/istio-system (not done)\n" in text
    assert text.endswith("cluster cluster3 could not be read: timed out\n")
    found = history_json("demo", chapters, {"cluster3": "timed out"})
    assert found["runs"][0]["deeds"][0] == {"sign": "+", "address": "cert/-/root", "done": True}
    assert found["unread"] == {"cluster3": "timed out"}


def test_no_run_is_said_in_words() -> None:
    assert history_text((), {}, steps=False) == "No runs yet: no cluster stores a history of this mesh.\n"


LABEL, SPACE = Key("label", "cluster1", "istio-system"), Key("namespace", "cluster1", "istio-eastwest")
BY = Holder("ada", "context", 1, "2026-01-01T00:00:00+00:00", "destroy", "lineage", "place")


def over(label: Outcome, *, unstarted: bool = False, deferred: bool = False) -> PastRun:
    """A destroy of a label and a namespace that somebody still uses."""
    steps = (Step(Action.DELETE, LABEL), Step(Action.DELETE, SPACE))
    left = (Deferral(Key("label", "cluster2", "istio-system"), "timed out"),) if deferred else ()
    plan = Plan("demo", steps, 1, "lineage", {}, deferred=left, digest="sha256:1")
    outcomes = {LABEL: label, SPACE: Outcome(remarks=("it stays, it holds: configmaps/mine",))}
    state = State("demo", "lineage", 2, "r2")
    now = datetime(2026, 1, 1, 0, 1, tzinfo=UTC)
    return history_entry(plan, outcomes, state, BY, now, end_of(plan, outcomes, stopped=unstarted))


def test_a_run_is_remembered_with_who_and_what_and_what_was_left() -> None:
    assert over(Outcome()) == PastRun(
        run="r2",
        serial=2,
        verb="destroy",
        who="ada",
        host="context",
        began="2026-01-01T00:00:00+00:00",
        ended="2026-01-01T00:01:00+00:00",
        digest="sha256:1",
        end="complete",
        deeds=(PastStep("-", str(LABEL)), PastStep(".", str(SPACE))),
    )


def test_a_run_that_did_not_do_all_says_so() -> None:
    assert over(Outcome(), deferred=True).end == "incomplete"
    failed = over(Outcome(error=KubeError("no")))
    assert (failed.end, failed.deeds[0].done) == ("incomplete", False)
    assert over(Outcome(stopped="waiting")).end == "interrupted"
    assert over(Outcome(), unstarted=True).end == "interrupted"
