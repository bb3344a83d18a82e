"""Mistakes in an input file as annotations, which a pipeline shows at their lines in the pull request.

Sources: the workflow commands of GitHub Actions, and the logging commands of Azure Pipelines. Everything in
them is escaped, so that no text of a file becomes a command or a property of its own.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from mesh.cli.views.escape import terminal

MOST = 50
"""Annotations of one run; the forges show fewer."""

_MISTAKE = re.compile(r"(?P<file>[^:\n]+):(?P<line>\d{1,9}):(?P<col>\d{1,9}): (?P<text>.+)")

_GITHUB = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_AZURE = {"%": "%AZP25", "\r": "%0D", "\n": "%0A"}


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake: the path of its file from the root of the repository, its position, and its words."""

    file: str
    line: str
    col: str
    text: str


def annotated(error: str, forge: str, env: Mapping[str, str], folder: Path) -> tuple[str, ...]:
    """Return the commands for the mistakes in the error output of a plan, none where no pipeline reads them.

    `folder` is where that plan was made: the names of files in its errors are relative to it.
    """
    variable, command = _COMMANDS.get(forge, ("", _github))
    if not env.get(variable):
        return ()
    root = env.get("GITHUB_WORKSPACE") or env.get("BUILD_SOURCESDIRECTORY") or ""
    return tuple(command(each) for each, _ in zip(_mistakes(error, folder, root), range(MOST), strict=False))


def _mistakes(error: str, folder: Path, root: str) -> Iterator[Mistake]:
    for line in error.splitlines():
        found = _MISTAKE.fullmatch(terminal(line))
        if found:
            path = os.path.relpath(folder / found["file"], root) if root else found["file"]
            yield Mistake(path, found["line"], found["col"], found["text"])


def _escaped(text: str, signs: Mapping[str, str]) -> str:
    return "".join(signs.get(char, char) for char in text)


def _github(mistake: Mistake) -> str:
    file = _escaped(mistake.file, {**_GITHUB, ":": "%3A", ",": "%2C"})
    place = f"file={file},line={mistake.line},col={mistake.col}"
    return f"::error {place}::{_escaped(mistake.text, _GITHUB)}"


def _azure(mistake: Mistake) -> str:
    file = _escaped(mistake.file, {**_AZURE, ";": "%3B", "]": "%5D"})
    place = f"type=error;sourcepath={file};linenumber={mistake.line};columnnumber={mistake.col}"
    return f"##vso[task.logissue {place}]{_escaped(mistake.text, _AZURE)}"


_COMMANDS: Mapping[str, tuple[str, Callable[[Mistake], str]]] = {
    "github": ("GITHUB_ACTIONS", _github),
    "gitea": ("GITHUB_ACTIONS", _github),
    "azure": ("TF_BUILD", _azure),
}
"""By forge: the variable that tells of its pipeline, and the command that the pipeline reads."""
