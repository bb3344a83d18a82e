"""A document knows the position of its keys and values."""

from __future__ import annotations

import pytest

from mesh.config.source.document import Document, Trail, dotted
from mesh.model import Origin

DOC = Document(
    "f.yaml", {"a": [{"b": 1}]}, {(): (1, 1), ("a",): (2, 3), ("a", 0, "b"): (3, 8)}, {("a",): (1, 1)}
)


@pytest.mark.parametrize(
    ("trail", "text"),
    [
        ((), ""),
        (("spec", "clusters", 0, "name"), "spec.clusters[0].name"),
        (("a", "b.c"), 'a."b.c"'),
        (("a", "n\u0435t"), 'a."n\\u0435t"'),
    ],
)
def test_a_path_is_written_with_dots_and_quotes(trail: Trail, text: str) -> None:
    assert dotted(trail) == text


def test_an_absent_value_has_the_position_of_the_part_around_it() -> None:
    assert DOC.origin(("a", 0, "b")) == Origin("f.yaml", 3, 8)
    assert DOC.origin(("a", 0, "c")) == Origin("f.yaml", 2, 3)
    assert DOC.origin(("x",)) == Origin("f.yaml", 1, 1)


def test_a_problem_of_a_key_is_at_the_key_and_one_of_a_value_at_the_value() -> None:
    assert str(DOC.key_problem(("a",), "unknown key")) == "f.yaml:1:1: a: unknown key"
    assert str(DOC.problem(("a",), "is empty", "remove it")) == "f.yaml:2:3: a: is empty: remove it"
