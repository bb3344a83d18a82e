"""Blocks of a diff, and which are left out when they do not fit."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mesh.cli.views.diff_blocks import Block, Rank, blocks, diff_line, fit, folds_of, size
from mesh.cli.views.step_lines import Line
from mesh.model import ABSENT, Action, Deferral, Field, Key, Plan, Reason, Step

ADD, CHANGE, REMOVE = (
    Block("a", rank, f"{name}\n{'x' * 20}", name, f"{name}\n{'x' * 20}")
    for rank, name in ((Rank.ADDITION, "add"), (Rank.CHANGE, "chg"), (Rank.REMOVAL, "rem"))
)
ALL = (REMOVE, ADD, CHANGE)
WHOLE = sum(each.size for each in ALL)
FOLDED = 21
"""The size of a body, which is left out first."""


def plan(*steps: Step, deferred: tuple[Deferral, ...] = ()) -> Plan:
    return Plan("demo", steps, 1, "line", {}, deferred)


def test_a_size_is_in_bytes_with_the_newline() -> None:
    assert size("é🦀") == 6
    assert (replace(ADD, text="é").size, replace(ADD, text="").size) == (3, 0)


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (Line("+", 0, "x"), "+   x"),
        (Line("+", 1, "x"), "+       x"),
        (Line("-/+", 0, "x"), "-/+ x"),
        (Line("~", 0, "x"), "!   x"),
        (Line("#", 1, "x"), "    # x"),
        (Line("", 0, ""), ""),
    ],
)
def test_the_symbol_is_in_the_first_column(line: Line, text: str) -> None:
    assert diff_line(line) == text


@pytest.mark.parametrize(
    ("room", "texts"),
    [
        (WHOLE, [REMOVE.full, ADD.full, CHANGE.full]),
        (WHOLE - 1, [REMOVE.full, "add", CHANGE.full]),
        (WHOLE - FOLDED - 1, [REMOVE.full, "add", "chg"]),
        (WHOLE - 2 * FOLDED - 1, ["rem", "add", "chg"]),
        (WHOLE - 3 * FOLDED - 1, ["rem", "", "chg"]),
        (5, ["rem", "", ""]),
        (0, ["", "", ""]),
    ],
)
def test_bodies_are_left_out_first_and_removals_last(room: int, texts: list[str]) -> None:
    assert [each.text for each in fit(ALL, room, {"a": 0})] == texts


def test_of_equal_blocks_the_last_is_left_out_first() -> None:
    assert [each.text for each in fit((ADD, ADD), 2 * ADD.size - 1, {"a": 0})] == [ADD.full, "add"]


def test_a_cluster_without_blocks_needs_no_room_for_its_section() -> None:
    one, other = replace(ADD, group="b", full="b", brief="b", text="b"), replace(REMOVE, brief=REMOVE.full)
    room = other.size + 10
    assert [each.text for each in fit((other, one), room, {"a": 10, "b": 10})] == [other.full, ""]


def test_the_same_body_is_shown_once() -> None:
    fields = tuple(Field((name,), ABSENT, 1) for name in "abc")
    first, second, third = (Step(Action.CREATE, Key("link", name, "x"), Reason.NEW, fields) for name in "abc")
    one = plan(first, second, replace(third, action=Action.UPDATE))
    found = list(blocks(one, folds_of(one)))
    assert [each.group for each in found] == ["a", "b", "c"]
    assert found[1].full.endswith("# the same as link/a/x")
    assert "the same as" not in found[0].full + found[2].full


def test_each_action_has_its_rank_and_what_waits_or_is_deferred_has_no_block() -> None:
    key = Key("link", "a", "b")
    steps = [Step(action, key) for action in (Action.CREATE, Action.UPDATE, Action.REPLACE, Action.DELETE)]
    waits = Step(Action.READ, key, Reason.UNHEALTHY, why="no address")
    one = plan(*steps, waits, deferred=(Deferral(key, "no route"),))
    found = list(blocks(one, folds_of(one)))
    assert [each.rank for each in found] == [Rank.ADDITION, Rank.CHANGE, Rank.REMOVAL, Rank.REMOVAL]
