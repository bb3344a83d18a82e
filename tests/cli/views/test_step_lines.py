"""The lines of one step: symbol, depth and text."""

from __future__ import annotations

from typing import Any

import pytest

from mesh.cli.views.step_lines import (
    MAX_ADDED_LINES,
    MAX_ADDED_OBJECTS,
    Line,
    field_lines,
    headline,
    manifest_lines,
    remarks,
    step_lines,
)
from mesh.model import ABSENT, SENSITIVE, Action, Field, Key, ManifestChange, Reason, Step, Touch

A = Key("link", "a", "b")
OLD, NEW = Touch(("x",), "helm", "2026-01-01T00:00:00Z"), Touch(("y",), "kubectl", "2026-01-02T00:00:00Z")


@pytest.mark.parametrize(
    ("action", "reason", "words"),
    [
        (Action.CREATE, Reason.NEW, "will be created"),
        (Action.UPDATE, Reason.CONFIG, "will be updated in-place"),
        (Action.REPLACE, Reason.CONFIG, "must be replaced"),
        (Action.DELETE, Reason.REMOVED, "will be destroyed"),
        (Action.READ, Reason.UNHEALTHY, "will be waited for"),
        (Action.FORGET, Reason.REMOVED, "will no longer be managed, but not be destroyed"),
        (Action.NOOP, Reason.ADOPT, "will be imported"),
        (Action.NOOP, Reason.NEW, "is in sync"),
    ],
)
def test_the_headline_says_what_becomes_of_a_resource(action: Action, reason: Reason, words: str) -> None:
    assert headline(Step(action, A, reason)) == f"link/a/b {words}"


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (Step(Action.CREATE, A), []),
        (Step(Action.CREATE, A, notes=("n\x1b",)), ["note: n\\x1b"]),
        (Step(Action.UPDATE, A, Reason.EXPIRING, why="in 20 days"), ["(expiring: in 20 days)"]),
        (
            Step(Action.UPDATE, A, Reason.DRIFT, (Field(("x",), 1, 2, OLD), Field(("y",), 1, 2, NEW))),
            ["(changed outside mesh by kubectl at 2026-01-02T00:00:00Z)"],
        ),
        (
            Step(Action.UPDATE, A, Reason.CONFIG, (Field(("x",), 1, 2, OLD),)),
            ["(configuration changed)"],
        ),
    ],
)
def test_a_remark_has_the_reason_and_for_drift_its_latest_writer(step: Step, said: list[str]) -> None:
    assert list(remarks(step)) == said


def test_a_step_without_fields_is_one_block_of_one_line() -> None:
    assert list(step_lines(Step(Action.DELETE, A, Reason.REMOVED)))[-1] == Line("-", 0, 'link "a" "b" {}')


def lines(*fields: Field) -> list[tuple[str, int, str]]:
    return [(each.sign, each.depth, each.text) for each in field_lines(fields, 1)]


@pytest.mark.parametrize(
    ("before", "after", "sign", "text"),
    [
        (1, 2, "~", "x = 1 -> 2"),
        (ABSENT, 2, "+", "x = 2"),
        (1, ABSENT, "-", "x = 1"),
        (None, "a", "~", 'x = null -> "a"'),
        (SENSITIVE, SENSITIVE, "~", "x = (sensitive value)"),
        ([1], [1, 2], "~", "x = [1] -> [1, 2]"),
    ],
)
def test_a_value_is_shown_on_one_line(before: Any, after: Any, sign: str, text: str) -> None:
    assert lines(Field(("x",), before, after)) == [(sign, 1, text)]


def test_short_paths_are_aligned_and_a_long_one_does_not_widen_them() -> None:
    long = "l" * 41
    fields = [Field((path,), 1, 2) for path in ("x", "abc", long)]
    assert [text for _, _, text in lines(*fields)] == ["x   = 1 -> 2", "abc = 1 -> 2", f"{long} = 1 -> 2"]


def test_nested_additions_have_a_line_for_each_leaf() -> None:
    assert lines(Field(("x",), ABSENT, {"a": 1, "b": {"c": [2]}})) == [
        ("+", 1, "x.a   = 1"),
        ("+", 1, "x.b.c = [2]"),
    ]


def test_a_changed_text_shows_the_changed_lines_with_two_around_them() -> None:
    before = "".join(f"{number}\n" for number in range(9))
    shown = lines(Field(("x",), before, before.replace("7\n", "seven\n")))
    assert shown == [
        ("~", 1, "x = <<-EOT"),
        ("#", 2, "(5 unchanged lines hidden)"),
        ("", 2, "5"),
        ("", 2, "6"),
        ("-", 2, "7"),
        ("+", 2, "seven"),
        ("", 2, "8"),
        ("", 1, "EOT"),
    ]


def test_an_added_text_is_cut_with_the_number_of_lines_that_are_left_out() -> None:
    shown = lines(Field(("x",), ABSENT, "a\n" * (MAX_ADDED_LINES + 1)))
    assert [each for each in shown if each[0] == "+"][1:] == [("+", 2, "a")] * MAX_ADDED_LINES
    assert shown[-2] == ("#", 2, "(1 more line)")


def test_many_added_objects_are_grouped_by_kind_and_few_are_not() -> None:
    few = tuple(ManifestChange(f"Role x/{number}", Action.CREATE) for number in range(MAX_ADDED_OBJECTS))
    assert len(list(manifest_lines(few))) == 1 + len(few)
    removed = ManifestChange("Secret x/s", Action.DELETE)
    grouped = [
        each.text for each in manifest_lines((*few, ManifestChange("Job x/j", Action.CREATE), removed))
    ]
    assert grouped[:2] == ["rendered manifests:", "Secret x/s"]
    assert grouped[2].startswith("Role (12) x/0, x/1, ")
    assert grouped[-1] == "Job x/j"


def test_objects_that_do_not_change_are_not_shown() -> None:
    assert list(manifest_lines((ManifestChange("Role x/r", Action.NOOP),))) == []
