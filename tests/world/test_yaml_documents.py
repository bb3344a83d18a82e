"""YAML of programs: scalars as Go reads them, JSON that YAML reads the same, text that stays text."""

from __future__ import annotations

import json

import pytest

from mesh.world import yaml_documents


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2026-01-02", "2026-01-02"),
        ("1:20", "1:20"),
        ("yes", True),
        ("010", 8),
        ("1e3", 1000.0),
        ("'1'", "1"),
        ("=", "="),
        ("null", None),
    ],
)
def test_a_scalar_means_what_it_means_to_helm(text: str, value: object) -> None:
    assert yaml_documents.read(f"x: {text}") == {"x": value}


def test_empty_documents_are_left_out() -> None:
    assert yaml_documents.read_all("---\n---\na: 1\n---\n") == [{"a": 1}]
    assert yaml_documents.read("") is None


def test_what_is_not_yaml_is_an_error_that_does_not_quote_it() -> None:
    with pytest.raises(ValueError, match=r"in line \d") as error:
        yaml_documents.read_all("a: 1\nhunter2: [")
    assert "hunter2" not in str(error.value)


@pytest.mark.parametrize("text", ["\N{GRINNING FACE}", "\u2028", "\x7f", "\ufeff", "\u00e9", 'a"b\\', "\x85"])
def test_json_reads_the_same_as_yaml(text: str) -> None:
    written = yaml_documents.json_bytes({"x": text})
    assert yaml_documents.read(written) == json.loads(written) == {"x": text}


@pytest.mark.parametrize(
    "text", ["yes", "null", "1", "1.5", "", " a", "a: b", "two\nlines\n", "é", "\x1b[31m"]
)
def test_text_is_written_as_text(text: str) -> None:
    written = yaml_documents.write({"x": text})
    assert yaml_documents.read(written) == {"x": text}
    assert written.isascii()


def test_documents_are_separated() -> None:
    assert yaml_documents.write_all([{"a": 1}, {"b": [1, 2]}]) == "---\na: 1\n---\nb:\n- 1\n- 2\n"


BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{','.join('*' + chr(97 + i) for _ in range(9))}]\n" for i in range(20)
)
MERGED = "k0: &a {x: 1}\nk1: &b {y: 1}\n" + "".join(
    f"l{i}: &{'ab'[i % 2]} {{<<: [*a, *b, *a, *b], z{i}: 1}}\n" for i in range(40)
)
CHAIN = "k: &b 1\n" + "".join(f"k{i}: &{'ab'[i % 2]} [*{'ba'[i % 2]}]\n" for i in range(2000))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a: " + "[" * 100_000 + "]" * 100_000, "nested more than 100 levels"),
        ("- " * 5_000 + "x", "nested more than 100 levels"),
        (CHAIN, "nested more than 100 levels"),
        (BOMB, "more than 1,000,000 values"),
        (MERGED, "more than 1,000,000 values"),
        ("s: &s " + "x" * 100_000 + "\nl: [" + ",".join(["*s"] * 1000) + "]", "more than 32 MiB"),
        ("&a [*a]", "has no anchor before it"),
        ("x: *u", "has no anchor before it"),
        ("!!python/object/apply:os.system [x]", "a tag in line 1"),
        ("!!timestamp 2026-01-01", "a tag in line 1"),
        ("!!int x", "a number in it"),
        ("x: 1" + "0" * 5_000, "a number in it"),
        ("x: .nan", "not finite"),
        ("? [a]\n: 1", "unhashable"),
    ],
)
def test_what_does_not_fit_is_an_error_before_it_takes_memory(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        yaml_documents.read_all(text)


def test_an_alias_stands_for_its_anchor() -> None:
    text = "a: &a {x: [1]}\nb: *a\nc: {<<: *a, y: 2}\n"
    assert yaml_documents.read(text) == {"a": {"x": [1]}, "b": {"x": [1]}, "c": {"x": [1], "y": 2}}
