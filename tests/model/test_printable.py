"""Text for a terminal: no character that it interprets or cannot show."""

from __future__ import annotations

import ast
import json
import shlex
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.model.printable import json_text, quoted, terminal
from tests.support.evil_text import EVIL


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


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("::set-output name=a::b", "\\x3a:set-output name=a::b"),
        ("  ::error file=a,line=1::b", "  \\x3a:error file=a,line=1::b"),
        ("##vso[task.complete]", "#\\x23vso[task.complete]"),
        ("x ##[group]", "x #\\x23[group]"),
        ("###[group]", "##\\x23[group]"),
        ("##teamcity[a]", "#\\x23teamcity[a]"),
        ("section_start:1:a", "section\\x5fstart:1:a"),
        ("travis_fold:start:a", "travis\\x5ffold:start:a"),
        ("2001:db8::1 and fd00::1", "2001:db8::1 and fd00::1"),
        ("std::vector<a::b>", "std::vector<a::b>"),
        ("## a heading", "## a heading"),
    ],
)
def test_commands_of_a_ci_system_are_broken_visibly(text: str, shown: str) -> None:
    assert terminal(text) == shown
    assert terminal(shown) == shown


@given(st.text() | st.lists(st.sampled_from([*EVIL, "\\", "'", '"', "\n"])).map("".join))
def test_json_says_the_same_and_acts_on_nothing(text: str) -> None:
    written = json_text({text: [text]})
    assert json.loads(written) == {text: [text]}
    assert written.isascii()
    assert terminal(written) == written


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])) | st.sampled_from(EVIL))
def test_a_quoted_word_is_printable_and_means_itself(text: str) -> None:
    word = quoted(text)
    assert terminal(word) == word
    if shlex.quote(text) == word:
        assert shlex.split(word) == [text]
    else:
        assert ast.literal_eval("b" + word.removeprefix("$")).decode() == text


def test_a_shell_reads_a_quoted_word_as_it_was(tmp_path: Path) -> None:
    words = [
        *(each for each in EVIL if "\0" not in each),
        "$(touch x)",
        "`touch x`",
        "o'brien",
        "a b",
        "",
        "é",
        '"',
        "\\",
    ]
    line = "printf '%s\\0' " + " ".join(map(quoted, words))
    done = subprocess.run(["bash", "-c", line], capture_output=True, check=True, cwd=tmp_path)
    assert done.stdout.decode().split("\0")[:-1] == words
    assert list(tmp_path.iterdir()) == []


def test_the_password_of_a_url_is_struck_out_in_text_and_json() -> None:
    text = "cannot reach https://user:hunter2@a.example/x and oci://token@b.example"
    assert terminal(text) == "cannot reach https://***@a.example/x and oci://***@b.example"
    assert json.loads(json_text({"a": text})) == {"a": terminal(text)}
    assert terminal(terminal(text)) == terminal(text)
