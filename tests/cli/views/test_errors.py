from __future__ import annotations

import pytest
from hypothesis import given

from mesh.cli.views.errors import error_text
from mesh.errors import InputError, MeshError, Problem, RefusedError
from tests.cli.views.golden import expect
from tests.cli.views.plans import EVIL, RELAXED, TEXT

FILE = """apiVersion: mesh/v1
kind: Mesh
metadata: {name: prod}
spec:
  clusters:
    - {name: größe, netwrok: n1}
    - name: a\x1b[31m\tb
"""
PROBLEMS = (
    Problem(
        "mesh.yaml", 7, 13, "spec.clusters[1].name", "not a DNS label: 'a\x1b[31m\\tb'", "use a-z, 0-9 and -"
    ),
    Problem(
        "mesh.yaml", 6, 21, "spec.clusters[0].netwrok", "unknown key `netwrok`", "did you mean `network`"
    ),
    Problem("mesh.yaml", 0, 0, "spec.rootOfTrust", "missing"),
    Problem("mesh.yaml", 99, 3, "spec.links", "the file is shorter than that"),
    Problem("other.yaml", 12, 3, "", "cannot be parsed"),
)


def source(file: str) -> str | None:
    return FILE if file == "mesh.yaml" else None


def test_problems_come_with_their_line_and_a_caret() -> None:
    expect("problems.txt", error_text(InputError(PROBLEMS), source=source))


def test_without_a_source_each_problem_is_one_line() -> None:
    expect("problems-plain.txt", error_text(InputError(PROBLEMS)))


def test_colour_changes_nothing_but_colour() -> None:
    import re

    coloured = error_text(InputError(PROBLEMS), source=source, colour=True)
    assert re.sub(r"\x1b\[\d+m", "", coloured) == error_text(InputError(PROBLEMS), source=source)


def test_the_hint_is_the_next_move() -> None:
    error = RefusedError("cluster1 is another cluster\nuid a, recorded b", hint="run `mesh state move`")
    assert error_text(error) == (
        "error: cluster1 is another cluster\n  uid a, recorded b\n hint: run `mesh state move`\n"
    )


def test_an_error_without_words_is_named() -> None:
    assert error_text(RefusedError("")) == "error: RefusedError\n"


def test_one_problem_is_not_called_problems() -> None:
    assert error_text(InputError(PROBLEMS[:1]), source=source).endswith("error: 1 problem in mesh.yaml\n")


def test_a_long_line_is_cut_around_the_caret() -> None:
    problem = Problem("f", 1, 501, "a", "wrong")
    text = error_text(InputError((problem,)), source=lambda _file: "x" * 500 + ": y" + "z" * 500)
    line, caret = text.split("\n")[3:5]
    assert len(line) < 140
    assert line[caret.index("^")] == ":"


@pytest.mark.parametrize("col", [0, 1, 5, 99])
def test_any_column_is_survived(col: int) -> None:
    problem = Problem("f", 1, col, "a", "wrong")
    assert "^" in error_text(InputError((problem,)), source=lambda _file: "a: b")


@RELAXED
@given(TEXT, TEXT)
def test_no_error_sends_a_control_character_to_the_terminal(message: str, hint: str) -> None:
    problem = Problem(hint, 1, 3, message, message, hint)
    for error in (MeshError(message, hint=hint), InputError((problem,))):
        for text in (error_text(error), error_text(error, source=lambda _file: EVIL + message)):
            assert text.replace("\n", "").isprintable()
