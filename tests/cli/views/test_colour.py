"""Colours: a plain painter changes nothing, and each symbol has its colour."""

from __future__ import annotations

import pytest

from mesh.cli.views.colour import painter
from mesh.model import Action


@pytest.mark.parametrize(
    ("sign", "painted"),
    [
        ("+", "\x1b[32m+\x1b[0m"),
        ("~", "\x1b[33m~\x1b[0m"),
        ("-", "\x1b[31m-\x1b[0m"),
        ("-/+", "\x1b[31m-\x1b[0m/\x1b[32m+\x1b[0m"),
        ("<=", "\x1b[36m<=\x1b[0m"),
        (".", "\x1b[31m.\x1b[0m"),
        ("", ""),
        ("#", "#"),
    ],
)
def test_each_symbol_has_its_colour(sign: str, painted: str) -> None:
    assert painter(colour=True).sign(sign) == painted
    assert painter(colour=False).sign(sign) == sign


def test_every_action_that_changes_something_is_coloured() -> None:
    paint = painter(colour=True)
    signs = {each: each.value.strip() for each in Action}
    assert [each for each, sign in signs.items() if paint.sign(sign) == sign] == [Action.NOOP]


def test_text_is_reset_after_its_style_and_empty_text_has_none() -> None:
    assert painter(colour=True)("x", "bold") == "\x1b[1mx\x1b[0m"
    assert painter(colour=True)("", "bold") == ""
    assert painter(colour=False)("x", "bold") == "x"
