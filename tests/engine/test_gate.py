"""Between two clusters of a rollout."""

from __future__ import annotations

from pathlib import Path

import pytest

from mesh.engine import gate
from mesh.engine.waiter import Waiter
from mesh.errors import MeshError
from mesh.world import World
from tests.engine.toy import Ticking


def test_checks_that_keep_passing_for_a_time_pass_once_more_than_it_has_pauses() -> None:
    assert [gate.looks(seconds) for seconds in (0, 1, 2, 6, 7)] == [1, 2, 2, 4, 5]


def passed(answers: list[str], clock: Ticking, *, stopping: bool = False, looks: int = 1) -> str:
    waiter = Waiter(World({}, {}, clock, {}, Path()), 10, lambda: stopping)
    said = lambda _clusters: answers.pop(0) if len(answers) > 1 else answers[0]  # noqa: E731
    return gate.passed(("a",), said, waiter, about="x", looks=looks)


def test_it_waits_until_the_checks_pass() -> None:
    clock = Ticking()
    assert passed(["bad", "bad", ""], clock) == ""
    assert clock.at == 2 * gate.SECONDS_BETWEEN


def test_it_ends_the_run_when_they_do_not_in_time() -> None:
    with pytest.raises(MeshError) as error:
        passed(["Q01 a: bad"], Ticking())
    assert "the checks of a do not pass, so the next cluster is left alone: Q01 a: bad" in str(error.value)


def test_it_passes_only_when_it_did_so_often_enough_in_a_row() -> None:
    clock = Ticking()
    assert passed(["", "bad", "", "", ""], clock, looks=3) == ""
    assert clock.at == 4 * gate.SECONDS_BETWEEN


def test_it_is_left_when_the_run_is_to_stop() -> None:
    assert passed(["bad"], Ticking(), stopping=True) == "bad"
