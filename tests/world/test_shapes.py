"""Shapes: what is looked at has its type, and the error names the path."""

from __future__ import annotations

from typing import Any

import pytest

from mesh.model.bounded_text import Unfit
from mesh.world.shapes import Each, fitted, moment

SHAPE = {"name!": str, "count": int, "on": bool, "labels": Each(str), "items": [{"type!": str}], "any": dict}


def test_what_fits_is_returned_with_the_keys_that_no_shape_names() -> None:
    value = {"name": "x", "count": 1, "labels": {"a": "b"}, "items": [{"type": "T", "y": 1}], "more": [None]}
    assert fitted(value, SHAPE) == value


def test_null_is_as_good_as_absent() -> None:
    value = {"name": "x", "count": None, "labels": None, "items": [None], "any": None}
    with pytest.raises(Unfit, match=r"items\[0\]\.type is missing"):
        fitted(value, SHAPE)
    assert fitted({**value, "items": None}, SHAPE) == {"name": "x"}


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ([], "it is not a map"),
        ({}, "name is missing"),
        ({"name": None}, "name is missing"),
        ({"name": 1}, "name is not text"),
        ({"name": "x", "count": True}, "count is not a whole number"),
        ({"name": "x", "count": 1.5}, "count is not a whole number"),
        ({"name": "x", "count": 2**63}, "count is too large a number"),
        ({"name": "x", "on": 1}, "on is not true or false"),
        ({"name": "x", "labels": {"a": 1}}, r"labels\.a is not text"),
        ({"name": "x", "labels": []}, "labels is not a map"),
        ({"name": "x", "items": {}}, "items is not a list"),
        ({"name": "x", "items": [{"type": "T"}, {"type": 1}]}, r"items\[1\]\.type is not text"),
        ({"name": "x", "any": "y"}, "any is not a map"),
    ],
)
def test_what_does_not_fit_is_told_with_its_path(value: Any, why: str) -> None:
    with pytest.raises(Unfit, match=f"^{why}$"):
        fitted(value, SHAPE)


def test_a_long_key_does_not_fill_the_message() -> None:
    with pytest.raises(Unfit) as error:
        fitted({"k" * 10_000: 1}, Each(str))
    assert len(str(error.value)) < 100


def test_a_time_has_a_zone() -> None:
    assert moment("2026-01-02T03:04:05Z").tzinfo is not None
    for text in ("2026-01-02T03:04:05", "yesterday", 5, None):
        with pytest.raises(Unfit, match="a time in it"):
            moment(text)
