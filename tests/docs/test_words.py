"""Text that a user can read is plain technical English: no word of the list of banned ones."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.banned_words import BANNED, BANNED_WORDS, replacements

ROOT = Path(__file__).resolve().parents[2]

PLACES = {
    ".": ["README.md", "CONTRIBUTING.md", "SECURITY.md"],
    "docs": ["docs/**/*.md", "docs/**/*.py"],
    "examples": ["examples/**/*.md", "examples/**/*.py", "examples/**/*.yaml"],
    "bench": ["bench/*.py"],
    "schemas": ["schemas/*.json"],
    "tests/config": ["tests/config/bad/*.expected"],
    "providers": ["providers/**/*.py"],
    "mesh": ["mesh/*.py"],
    **{
        f"mesh/{folder.name}": [f"mesh/{folder.name}/**/*.py"]
        for folder in sorted((ROOT / "mesh").iterdir())
        if folder.is_dir() and not folder.is_symlink() and folder.name != "__pycache__"
    },
}


def prose(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the lines of a file that people read: of Python, sentences in strings, and comments."""
    text = path.read_text()
    if path.suffix != ".py":
        yield from enumerate(text.splitlines(), 1)
        return
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
            yield from enumerate(node.value.splitlines(), node.lineno)
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def findings(place: str) -> list[str]:
    files = sorted({path for pattern in PLACES[place] for path in ROOT.glob(pattern)})
    return [
        f"{path.relative_to(ROOT)}:{line}: {better}"
        for path in files
        for line, text in sorted(prose(path))
        for better in replacements(text)
    ]


@pytest.mark.parametrize("place", sorted(PLACES))
def test_no_banned_word_is_in_text_that_a_user_reads(place: str) -> None:
    found = findings(place)
    assert not found, "\n".join(["plain words, please:", *found])


def test_every_banned_word_is_found_and_its_replacement_named() -> None:
    assert replacements("it is made anew by Whoever") == [
        '"anew" -> "again"',
        '"Whoever" -> "the owner, the person who"',
    ]
    assert len(BANNED) == len(BANNED_WORDS.groupindex)


def test_words_that_only_contain_a_banned_one_are_allowed() -> None:
    fine = (
        "recommend",
        "hours",
        "nothing, something, anything",
        "there is no cluster c",
        "it is no longer used",
        "the address goes through a load balancer",
    )
    assert [replacements(text) for text in fine] == [[]] * len(fine)
