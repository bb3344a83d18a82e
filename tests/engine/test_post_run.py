"""After the last step: whether what was changed, and what depends on it, still works."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mesh.engine.post_run import CHECKS
from mesh.engine.result import RunResult
from mesh.engine.run_options import RunOptions
from mesh.engine.session import Session
from mesh.engine.verbs import apply
from mesh.model import Key
from mesh.sdk.capabilities import Disruptive
from tests.engine.toy import Ticking, ToyProvider, carry_out, key, plan, toy


class Traffic(ToyProvider, Disruptive):
    """Toys that carry traffic."""

    def disrupts(self, key: Key) -> bool:
        return True


Asked = tuple[tuple[str, ...], frozenset[Key], frozenset[Key]]


@pytest.fixture
def carrying(here: Session) -> Session:
    session = replace(here, kinds={"toy": Traffic()}, world=replace(here.world, clock=Ticking()))
    carry_out(session, plan(session, toy("a", x=1), toy("b", needs=frozenset({key("a")}))))
    return session


def changed(session: Session, said: str) -> tuple[list[Asked], RunResult]:
    asked: list[Asked] = []

    def checks(clusters: tuple[str, ...], pending: frozenset[Key], users: frozenset[Key]) -> str:
        asked.append((clusters, pending, users))
        return said

    planned = plan(session, toy("a", x=2), toy("b", needs=frozenset({key("a")})))
    return asked, apply(session, planned, RunOptions(timeout=1, checks=checks))


def test_the_checks_of_what_was_changed_and_of_what_depends_on_it_must_pass_often_enough(
    carrying: Session,
) -> None:
    asked, result = changed(carrying, "")
    assert asked == [(("cluster1",), frozenset(), frozenset({key("b")}))] * 4
    assert result.outcomes[CHECKS.key].good


def test_what_they_find_fails_the_run_though_every_step_is_done(carrying: Session) -> None:
    _, result = changed(carrying, "Q01 cluster1: no gateway")
    assert result.failed == (CHECKS.key,)
    assert result.end == "incomplete"
    error = result.outcomes[CHECKS.key].error
    assert error is not None
    assert "though every step is done: Q01 cluster1: no gateway" in error.message


def test_a_run_that_changes_nothing_disruptive_asks_nothing(carrying: Session) -> None:
    quiet = replace(carrying, kinds={"toy": ToyProvider()})
    assert changed(quiet, "never asked")[0] == []
