"""Mistakes of YAML itself are explained, at the position where a person can fix them."""

from __future__ import annotations

import pytest

from mesh.config.source.composer import MAX_MISTAKES
from mesh.config.source.load import parse
from mesh.errors import InputError


def problems(text: str) -> list[str]:
    try:
        return [str(each) for each in parse(text.encode(), "f.yaml").problems]
    except InputError as error:
        return [str(each) for each in error.problems]


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("a: [1, 2\nb: 3\n", "1:4", "this [ has no matching ]"),
        ("a: {b: 1\nc: 2\n", "1:4", "this { has no matching }"),
        ("a:\n  - x\n   - y\nb: '1\n", "4:4", "this quotation mark has no matching one"),
        ("a:\n  - x: 1\n   y: 2\n", "3:4", "this line does not belong to the list before it"),
        ("a:\n  b: 1\n c: 2\n", "3:2", "this line does not belong to the map before it"),
        ("a: b: c\n", "1:5", "a key is not allowed here"),
        ("a:\n\tb: 1\n", "2:1", "this character cannot start a value"),
    ],
)
def test_a_mistake_is_explained_where_it_begins(text: str, place: str, words: str) -> None:
    [problem] = problems(text)
    assert problem.startswith(f"f.yaml:{place}: is not valid YAML: {words}: ")


def test_the_parser_stops_after_many_mistakes() -> None:
    found = problems("".join(f"k{n}: &a{n} 1\n" for n in range(MAX_MISTAKES + 5)))
    assert len(found) == MAX_MISTAKES + 1
    assert found[-1].endswith("has more mistakes like these: fix these first")


def test_a_second_document_is_refused() -> None:
    assert problems("a: 1\n---\nb: 1\n") == [
        "f.yaml:2:1: a second document begins here: write one document per file"
    ]
