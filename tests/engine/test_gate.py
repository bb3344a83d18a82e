"""Between two clusters of a rollout."""

from __future__ import annotations

from pathlib import Path

import pytest

from mesh.engine import gate
from mesh.engine.waiter import Waiter
from mesh.errors import MeshError
from mesh.world import World
from tests.engine.toy import Ticking


def passed(answers: list[str], clock: Ticking, *, stopping: bool = False, settle: float = 0) -> str:
    waiter = Waiter(World({}, {}, clock, {}, Path()), 10, lambda: stopping)
    said = lambda _clusters: answers.pop(0) if len(answers) > 1 else answers[0]  # noqa: E731
    return gate.passed(("a",), said, waiter, about="x", settle=settle)


def test_it_waits_until_the_checks_pass() -> None:
    clock = Ticking()
    assert passed(["bad", "bad", ""], clock) == ""
    assert clock.at == 2 * gate.SECONDS_BETWEEN


def test_it_ends_the_run_when_they_do_not_in_time() -> None:
    with pytest.raises(MeshError) as error:
        passed(["Q01 a: bad"], Ticking())
    assert "the checks of a do not pass, so the next cluster is left alone: Q01 a: bad" in str(error.value)


def test_it_passes_only_when_it_did_so_for_a_while() -> None:
    clock = Ticking()
    assert passed(["", "bad", "", "", ""], clock, settle=2 * gate.SECONDS_BETWEEN) == ""
    assert clock.at == 4 * gate.SECONDS_BETWEEN


def test_what_fails_late_after_it_passed_has_the_whole_time_again() -> None:
    clock = Ticking()
    late = ["bad"] * 4 + [""] + ["bad"] * 4 + [""]
    assert passed(late, clock) == ""
    clock = Ticking()
    assert passed(late, clock, settle=1.5 * gate.SECONDS_BETWEEN) == ""
    assert clock.at > 10, "longer than the timeout of one wait"


def test_it_is_left_when_the_run_is_to_stop() -> None:
    assert passed(["bad"], Ticking(), stopping=True) == "bad"
