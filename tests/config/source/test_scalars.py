"""Plain scalars have one meaning, and ambiguous ones are reported."""

from __future__ import annotations

from typing import Any

import pytest

from mesh.config.source.scalars import AMBIGUITY, ambiguity, plain, shown


@pytest.mark.parametrize(
    ("text", "value"),
    [("7", 7), ("0x1F", 31), ("1.5", 1.5), ("true", True), ("~", None), ("", None), ("1.30.2", "1.30.2")],
)
def test_a_plain_scalar_has_the_value_of_the_core_schema(text: str, value: Any) -> None:
    assert plain(text) == value


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("no", "truth"),
        ("1:20", "sixty"),
        ("010", "octal"),
        ("1_000", "underscore"),
        ("1e3", "exponent"),
        ("2024-01-01", "date"),
        (".inf", "infinite"),
    ],
)
def test_an_ambiguous_scalar_says_why(text: str, kind: str) -> None:
    assert ambiguity(text) == AMBIGUITY[kind]


def test_a_long_number_is_reported_and_a_word_is_not() -> None:
    assert ambiguity("1" * 19) == "is too long for a number"
    assert ambiguity("cluster1") == ""


def test_text_in_messages_is_quoted_short_and_in_ascii() -> None:
    assert shown("n\u0435t") == '"n\\u0435t"'
    assert len(shown("x" * 500)) == 62
