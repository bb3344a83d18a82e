"""Names from a cluster as words of a command to paste."""

from __future__ import annotations

import pytest

from mesh.queries.checks.paste import pasted, word


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("istiod-1", "istiod-1"),
        ("$(touch x)", "'$(touch x)'"),
        ("{context}", "$'\\x7bcontext\\x7d'"),
        ("a\x1b", "$'a\\x1b'"),
        ("", "''"),
    ],
)
def test_a_name_is_one_word_without_placeholders(text: str, shown: str) -> None:
    assert word(text) == shown


def test_an_object_is_named_by_two_words() -> None:
    assert pasted({"metadata": {"namespace": "a b", "name": "c;d"}}) == ("'a b'", "'c;d'")
