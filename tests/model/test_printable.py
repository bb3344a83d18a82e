"""Text for a terminal: no character that it interprets or cannot show."""

from __future__ import annotations

import pytest

from mesh.model.printable import terminal


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""),
        ("plain é 🦀 \\n", "plain é 🦀 \\n"),
        ("a\nb\r\tc", "a\\nb\\r\\tc"),
        ("\x1b[31m\x9b", "\\x1b[31m\\x9b"),
        ("\u202e\u200b", "\\u202e\\u200b"),
        ("\u00a0", "\\xa0"),
        ("\ud800", "\\ud800"),
        ("\u2800\u3164", "\\u2800\\u3164"),
        ("\ufe0f\U000e0100", "\\ufe0f\\U000e0100"),
    ],
)
def test_characters_that_cannot_be_seen_are_escaped(text: str, shown: str) -> None:
    assert terminal(text) == shown
    assert terminal(shown) == shown
