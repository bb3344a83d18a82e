"""Shell text does what it shows, whatever the words are."""

from __future__ import annotations

import subprocess

import pytest

from mesh.sdk.shell import Raw, command, comment, expanded_heredoc, heredoc, variable


def bash(script: str) -> str:
    return subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("word", ["a b", "$(date)", "`id`", "it's", "-n", "*"])
def test_a_word_is_passed_as_written(word: str) -> None:
    assert bash(command("printf", "%s", word)) == word


def test_only_a_raw_word_is_expanded() -> None:
    assert bash("x=1; " + command("printf", "%s%s", "$x", Raw("$x"))) == "$x1"


@pytest.mark.parametrize("text", ["a\n", "EOF\n", "EOF\nEOF_\n", "$HOME `id` \\\n"])
def test_a_heredoc_is_literal(text: str) -> None:
    assert bash(heredoc("cat", text)) == text


def test_an_expanded_heredoc_expands_its_variables_only() -> None:
    script = expanded_heredoc("cat", "value: 0word $HOME `id`\n", {"0word": "x"})
    assert bash("x=1\n" + script) == "value: 1 $HOME `id`\n"


def test_a_comment_stays_one_line() -> None:
    assert comment("a\nrm -rf /") == "# a\\nrm -rf /\n"


def test_a_variable_has_a_valid_name() -> None:
    assert variable("chart", "a-b/c.d") == "chart_a_b_c_d"


def test_words_are_quoted_unless_they_are_meant_for_the_shell() -> None:
    assert command("a b", Raw('"$x"'), "$x") == "'a b' \"$x\" '$x'"
    assert comment("x\ntouch pwned") == "# x\\ntouch pwned\n"
    assert heredoc("cat", "EOF\n") == "cat <<'EOF_'\nEOF\nEOF_\n"
    assert (
        expanded_heredoc("cat", "w $w \\ `x`\n", {"w": "v"}) == "cat <<EOF\n${v} \\$${v} \\\\ \\`x\\`\nEOF\n"
    )
