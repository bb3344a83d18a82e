"""The numbers of a plan, in Terraform's words."""

from __future__ import annotations

import pytest

from mesh.cli.views.counts import Counts, count, count_each, summary
from mesh.model import Action, Deferral, Key, Reason, Step


def step(action: Action, reason: Reason = Reason.CONFIG) -> Step:
    return Step(action, Key("toy", "c", action.name.lower()), reason)


def test_a_replacement_is_an_addition_and_a_removal() -> None:
    found = count([step(Action.REPLACE), step(Action.CREATE), step(Action.DELETE)], [])
    assert (found.add, found.change, found.destroy) == (2, 0, 2)


def test_what_is_not_ready_or_deferred_is_no_change() -> None:
    found = count([step(Action.READ)], [Deferral(Key("toy", "c", "x"), "unreachable")])
    assert (found.add, found.change, found.destroy, found.not_ready, found.deferred) == (0, 0, 0, 1, 1)


@pytest.mark.parametrize(
    ("counts", "line"),
    [
        (Counts(add=25), "Plan: 25 to add, 0 to change, 0 to destroy."),
        (Counts(imported=2, change=1), "Plan: 2 to import, 0 to add, 1 to change, 0 to destroy."),
    ],
)
def test_the_summary_is_terraforms_to_the_byte(counts: Counts, line: str) -> None:
    assert summary(counts) == line


def test_an_adopted_object_is_counted_as_imported() -> None:
    assert count([step(Action.NOOP, Reason.ADOPT)], []).imported == 1


def test_steps_are_counted_by_cluster_or_as_told() -> None:
    steps = [step(Action.CREATE), Step(Action.DELETE, Key("toy", "d", "x"), Reason.REMOVED)]
    deferred = [Deferral(Key("toy", "d", "y"), "unreachable")]
    by_cluster = count_each(steps, deferred)
    assert by_cluster["c"] == Counts(add=1)
    assert by_cluster["d"] == Counts(destroy=1, deferred=1)
    assert by_cluster["e"] == Counts()
    assert count_each(steps, deferred, lambda key: key.kind)["toy"] == count(steps, deferred)
