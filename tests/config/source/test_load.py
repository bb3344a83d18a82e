"""YAML text to data with places: what is read, what is refused, and what it costs."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.config.source.composer import MAX_NODES
from mesh.config.source.document import dotted
from mesh.config.source.load import MAX_BYTES, load, load_foreign, parse
from mesh.config.source.scalars import shown
from mesh.errors import InputError
from mesh.model import Origin


def problems(text: str | bytes) -> list[str]:
    content = text if isinstance(text, bytes) else text.encode()
    try:
        return [str(each) for each in parse(content, "f.yaml").problems]
    except InputError as error:
        return [str(each) for each in error.problems]


def test_data_is_what_the_core_schema_says() -> None:
    text = """
    text: plain words
    quoted: "no"
    number: 7
    negative: -7
    hexadecimal: 0x1F
    decimal: 1.5
    exponent: 1.5e+3
    truth: [true, False]
    nothing: [null, ~, ]
    forced: !!str 010
    version: 1.30.2-solo
    block: |
      no
    """
    assert parse(text.encode(), "f").data == {
        "text": "plain words",
        "quoted": "no",
        "number": 7,
        "negative": -7,
        "hexadecimal": 31,
        "decimal": 1.5,
        "exponent": 1500.0,
        "truth": [True, False],
        "nothing": [None, None],
        "forced": "010",
        "version": "1.30.2-solo",
        "block": "no\n",
    }


def test_every_value_and_key_has_its_place() -> None:
    doc = parse(b"a:\n  - b: 1\n    c: two\n", "dir/f.yaml")
    assert doc.origin(("a", 0, "c")) == Origin("dir/f.yaml", 3, 8)
    assert doc.key_origin(("a", 0, "c")) == Origin("dir/f.yaml", 3, 5)
    assert doc.origin(("a", 0, "none", "deeper")) == Origin("dir/f.yaml", 2, 5)


def test_a_byte_order_mark_and_windows_line_ends_are_fine() -> None:
    doc = parse(b"\xef\xbb\xbfa: 1\r\nb: 2\r\n", "f")
    assert doc.data == {"a": 1, "b": 2}
    assert doc.origin(("b",)) == Origin("f", 2, 4)


@pytest.mark.parametrize(
    "word",
    [
        "no",
        "Yes",
        "on",
        "OFF",
        "y",
        "010",
        "0o17",
        "0b1",
        "1:20",
        "1_000",
        "1e3",
        "1.0e3",
        "2024-01-01",
        ".nan",
        "-.inf",
        "9999999999999999999",
    ],
)
def test_a_word_that_readers_disagree_on_must_be_quoted(word: str) -> None:
    [problem] = problems(f"key: {word}\n")
    assert problem.startswith("f.yaml:1:6: key: ")
    assert problem.endswith("quote it if it is text")
    assert problems(f"key: '{word}'\n") == []


@pytest.mark.parametrize(
    "word", ["nope", "one", "1.30.2", "10.0.0.1", "8080:80", "v1", "0.5", "a_b", "12h", "~x"]
)
def test_an_unambiguous_word_need_not_be_quoted(word: str) -> None:
    assert problems(f"key: {word}\n") == []


def test_a_duplicate_key_names_both_lines() -> None:
    assert problems("a: 1\nb: 2\na: 3\n") == [
        'f.yaml:3:1: a: duplicate key "a": it is first on line 1; keep one of them'
    ]


def test_the_first_of_two_values_keeps_its_place() -> None:
    doc = parse(b"a: 1\na: {b: 2}\n", "f")
    assert doc.data == {"a": 1}
    assert doc.origin(("a",)) == Origin("f", 1, 4)


@pytest.mark.parametrize(
    "character", ["\u200b", "\u202e", "\u2066", "\x1b", "\x7f", "\x85", "\u2028", "\U000e0041"]
)
def test_a_character_that_cannot_be_seen_is_refused(character: str) -> None:
    [problem] = problems(f"a: 1\nb: x{character}y\n")
    assert problem == f"f.yaml:2:5: character U+{ord(character):04X} is invisible: remove it"


@pytest.mark.parametrize("escape", [r"\e", r"\u202e", r"\0"])
def test_an_escape_does_not_smuggle_it_in(escape: str) -> None:
    [problem] = problems(f'a: "x{escape}y"\n')
    assert "contains the character" in problem


BOMBS = {
    "aliases": "a: &a [x]\n" + "".join(f"b{n}: &b{n} [*a, *a, *a]\n" for n in range(9)),
    "merge keys": "a0: &a0 {k: v}\n"
    + "".join(f"a{n}: &a{n} {{<<: [*a{n - 1}, *a{n - 1}]}}\n" for n in range(1, 40)),
    "itself": "&a [*a]\n",
    "flow depth": "[" * 5000,
    "map depth": "{a: " * 5000,
    "block depth": "- " * 100_000,
    "complex keys": "? " * 100_000,
    "values": "[" + "x," * (MAX_NODES + 1) + "]",
    "keys": "".join(f"k{n}: 1\n" for n in range(MAX_NODES)),
    "one key": "x" * (MAX_BYTES - 8) + ": 1",
    "digits": "9" * MAX_BYTES,
    "sixties": "1" + ":20" * 300_000,
    "underscores": "1_" * 500_000,
    "quotes": '"' + "\\u0041" * 150_000,
    "hidden characters": "\u200b" * 300_000,
    "comments": "#\n" * 500_000,
    "anchors": "- &a x\n" * 100_000,
    "duplicates": "a: 1\n" * 20_000,
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_costs_no_more_than_its_text(name: str) -> None:
    start = time.process_time()
    assert problems(BOMBS[name])[:1] or name in ("one key", "comments")
    assert time.process_time() - start < 1


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"# only a comment\n", b"---\n", b"---\n...\n", b"null\n", b"\xef\xbb\xbf"]
)
def test_an_empty_file_says_how_to_begin(content: bytes) -> None:
    assert problems(content) == ["f.yaml:1:1: is empty: run `mesh init` to create a mesh file"]


@pytest.mark.parametrize("content", [b"\x00\x01", "a: ö".encode("utf-16"), b"a: \xff"])
def test_what_is_not_text_is_refused(content: bytes) -> None:
    [problem] = problems(content)
    assert "is not text" in problem or "is not UTF-8 text" in problem


def test_a_missing_file_says_the_next_move(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match="no such file: check the path, or run `mesh init` to create a mesh file"
    ):
        load(tmp_path / "mesh.yaml")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is a folder: name the file in it"):
        load(tmp_path)


def test_a_file_without_permission_says_so(tmp_path: Path) -> None:
    path = tmp_path / "mesh.yaml"
    path.write_text("a: 1")
    path.chmod(0)
    with nobody(), pytest.raises(InputError, match="cannot be read: permission denied"):
        load(path)


@contextmanager
def nobody() -> Iterator[None]:
    """Not to be root, who may read everything."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(before)


@pytest.mark.parametrize("name", ["a\0b", "x" * 5000, "mesh.yaml/below"])
def test_a_strange_path_is_an_error_like_any_other(tmp_path: Path, name: str) -> None:
    (tmp_path / "mesh.yaml").write_text("a: 1")
    with pytest.raises(InputError):
        load(tmp_path / name)


def test_a_file_over_the_limit_is_not_read_on(tmp_path: Path) -> None:
    path = tmp_path / "mesh.yaml"
    path.write_bytes(b"#" * (MAX_BYTES + 1))
    with pytest.raises(InputError, match="is larger than 1 MiB"):
        load(path)


def test_a_foreign_file_is_read_with_its_own_habits(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text("a: no\nb: 2024-01-01\nb: again\n")
    assert load_foreign(path) == {"a": "no", "b": "2024-01-01"}


def test_paths_and_words_are_safe_to_print() -> None:
    assert dotted(("spec", "clusters", 0, "a.b", "\u0441")) == 'spec.clusters[0]."a.b"."\\u0441"'
    assert shown("\x1b[2J") == '"\\u001b[2J"'
    assert len(shown("x" * 1000)) < 70


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    problems(content)


@given(st.text(alphabet=st.sampled_from("ab:-[]{}?!&*|>%@`'\"#,\n \t01.~<é"), max_size=80))
def test_anything_like_yaml_is_read_or_refused(text: str) -> None:
    problems(text)
