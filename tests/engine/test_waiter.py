"""Waiting for a cluster: the order in which success, stop and deadline are looked at."""

from __future__ import annotations

from pathlib import Path

import pytest

from mesh.engine.waiter import GOING_SECONDS, POLL_SECONDS, Waiter
from mesh.errors import MeshError
from mesh.model import Live
from mesh.world import World
from tests.engine.toy import Ticking

LIVE = Live({}, "uid:1")


def waiter(clock: Ticking, *, stopping: bool = False, timeout: float = 5) -> Waiter:
    return Waiter(World({}, {}, clock, {}, Path()), timeout, lambda: stopping)


def test_it_reads_until_the_judge_is_content() -> None:
    clock, answers = Ticking(), [False, False, True]
    outcome = waiter(clock).until("a", lambda: LIVE, lambda _live: (answers.pop(0), "not yet"))
    assert (outcome.live, outcome.good, answers) == (LIVE, True, [])
    assert clock.at == sum(POLL_SECONDS[:2])


def test_what_became_ready_counts_as_done_although_the_run_is_to_stop() -> None:
    assert waiter(Ticking(), stopping=True).until("a", lambda: LIVE, lambda _live: (True, "")).good


def test_a_stop_is_never_reported_as_too_slow() -> None:
    late = waiter(Ticking(), stopping=True, timeout=0)
    assert late.until("a", lambda: LIVE, lambda _live: (False, "no pod")).stopped == "no pod"


def test_it_says_what_it_waited_for_when_the_time_is_up() -> None:
    with pytest.raises(MeshError, match="not ready after 5s: no pod"):
        waiter(Ticking()).until("a", lambda: LIVE, lambda _live: (False, "no pod"))


def test_what_never_disappears_holds_a_deletion_up_for_a_bounded_time() -> None:
    clock = Ticking()
    waiter(clock).until_gone("a", lambda: "peers remain")
    assert clock.at == pytest.approx(sum(GOING_SECONDS))
