from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.cli.views.tables import cells, table
from tests.cli.views.plans import RELAXED, TEXT


def test_columns_line_up_and_nothing_trails() -> None:
    text = table(("cluster", "pods", ""), [("cluster1", 3, ""), ("größe", "", "x"), ("日本", 1, "y")])
    assert text == ("CLUSTER   PODS\ncluster1  3     -\ngröße     -     x\n日本      1     y\n")


def test_a_table_without_rows_is_its_headers() -> None:
    assert table(("a", "b"), []) == "A  B\n"


def test_a_row_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="a row of 1 cells under 2 headers"):
        table(("a", "b"), [("1",)])


@RELAXED
@given(st.lists(st.tuples(TEXT, TEXT), max_size=4))
def test_every_row_is_one_printable_line(rows: list[tuple[str, str]]) -> None:
    lines = table(("a", "b"), rows).split("\n")
    assert len(lines) == len(rows) + 2
    assert all(line.isprintable() for line in lines)
    assert (
        len({cells(line) - cells(line.split("  ")[-1]) for line in lines[1:-1] if line.count("  ") == 1}) <= 1
        or rows
    )
