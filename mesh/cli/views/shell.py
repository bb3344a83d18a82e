"""Shell text that does what it shows: every word quoted, every heredoc closed where it should be."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping

from mesh.cli.views.escape import terminal


class Raw(str):
    """A word that the shell is meant to expand; everything else is quoted."""

    __slots__ = ()


def command(*words: str) -> str:
    """Return one command; only `Raw` words are left to the shell."""
    return " ".join(word if isinstance(word, Raw) else shlex.quote(word) for word in words)


def comment(text: str) -> str:
    """Return a comment of one line."""
    return f"# {terminal(text)}\n"


def heredoc(line: str, text: str) -> str:
    """Return a command that reads `text` as it is."""
    end = _end(text)
    return f"{line} <<'{end}'\n{text}{end}\n"


def expanded_heredoc(line: str, text: str, variables: Mapping[str, str]) -> str:
    """Return a command that reads `text`, in which each key of `variables` stands for a shell variable.

    Nothing else in the text means anything to the shell.
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
