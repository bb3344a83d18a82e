"""Write shell commands safely: every word is quoted, every heredoc ends where it should."""

from __future__ import annotations

import re
from collections.abc import Mapping

from mesh.model.printable import quoted, terminal

__all__ = ["Raw", "command", "comment", "expanded_heredoc", "heredoc", "quoted", "variable"]


class Raw(str):
    """A word that the shell expands; all other words are quoted."""

    __slots__ = ()


def command(*words: str) -> str:
    """Return one command; the shell expands only `Raw` words."""
    return " ".join(word if isinstance(word, Raw) else quoted(word) for word in words)


def comment(text: str) -> str:
    """Return a one-line comment."""
    return f"# {terminal(text)}\n"


def heredoc(line: str, text: str) -> str:
    """Return a command with `text` as its literal input."""
    end = _end(text)
    return f"{line} <<'{end}'\n{text}{end}\n"


def expanded_heredoc(line: str, text: str, variables: Mapping[str, str]) -> str:
    """Return a command with `text` as its input, in which each key of `variables` is a shell variable.

    The shell expands nothing else in the text.
    """
    end = _end(text)
    inert = re.sub(r"[\\$`]", lambda found: f"\\{found[0]}", text)
    for word, variable in variables.items():
        inert = inert.replace(word, f"${{{variable}}}")
    return f"{line} <<{end}\n{inert}{end}\n"


def _end(text: str) -> str:
    end = "EOF"
    while end in text.splitlines():
        end += "_"
    return end


def variable(*parts: str) -> str:
    """Return a name for a shell variable."""
    return re.sub(r"[^A-Za-z0-9_]", "_", "_".join(parts))
