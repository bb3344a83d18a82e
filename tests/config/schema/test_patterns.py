"""Each pattern of a single value has a message and a hint, and the hint's example matches it."""

from __future__ import annotations

import re

import pytest

from mesh.config.schema import patterns
from mesh.config.schema.patterns import SECRETIVE, WORDS

EXAMPLES = [
    (pattern, hint.rpartition("such as ")[2]) for pattern, (_, hint) in WORDS.items() if "such as" in hint
]


def test_every_pattern_has_words() -> None:
    named = {value for name, value in vars(patterns).items() if name.isupper() and isinstance(value, str)}
    assert named == set(WORDS)
    assert set(WORDS) >= SECRETIVE


@pytest.mark.parametrize("what", [what for what, _ in WORDS.values()])
def test_a_message_says_what_the_value_is_not(what: str) -> None:
    assert what.startswith(("is not a valid ", "contains "))


@pytest.mark.parametrize(("pattern", "examples"), EXAMPLES)
def test_the_example_of_a_hint_is_valid(pattern: str, examples: str) -> None:
    assert all(re.fullmatch(pattern, example) for example in examples.split(" or "))


@pytest.mark.parametrize(
    ("pattern", "good", "bad"),
    [
        (patterns.DNS_LABEL, "a" * 63, "a" * 64),
        (patterns.DNS_LABEL, "a-1", "-a"),
        (patterns.DURATION, "1d12h30m", "1h1d"),
        (patterns.HUB, "localhost:5000/istio", "https://x/istio"),
        (patterns.TAG, "1.30.2-solo", "a b"),
        (patterns.VARIABLE, "KEY_1", "1KEY"),
        (patterns.ADDRESS, "link/a/b", "link/a"),
    ],
)
def test_a_pattern_accepts_one_and_rejects_the_other(pattern: str, good: str, bad: str) -> None:
    assert re.search(pattern, good)
    assert not re.search(pattern, bad)
