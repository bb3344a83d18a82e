"""Collect the problems of one run, so that all of them are reported at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from stat import S_ISDIR
from typing import Literal

from mesh.config.source.document import Document, Trail
from mesh.config.source.load import MAX_PROBLEMS
from mesh.errors import InputError, Problem
from mesh.model import Origin


class Problems:
    """A document, the folder that relative paths start from, and the problems so far.

    `kept` holds the remaining indexes of shortened lists (see `source.partial.without`): callers
    count the remaining items, and problems are reported with the indexes of the file. A problem at
    a place that lost a part is dropped, since the loss may be its cause.
    """

    def __init__(self, doc: Document) -> None:
        self.doc = doc
        self.folder = Path(doc.file).parent
        self.found: list[Problem] = list(doc.problems)
        self.kept: Mapping[Trail, Sequence[int]] = {}
        self.lost: set[Trail] = set()
        self.digests: list[str] = [doc.digest]

    def wrong(self, trail: Trail, what: str, hint: str = "") -> None:
        """Add a problem at the position of a value."""
        written = self.written(trail)
        if not any(_inside(written, lost) or _inside(lost, written) for lost in self.lost):
            self.found.append(self.doc.problem(written, what, hint))

    def written(self, trail: Trail) -> Trail:
        """Return the path of a value in the file, before parts were removed."""
        result: Trail = ()
        for part in trail:
            kept = self.kept.get(result)
            result = (*result, kept[part] if kept is not None and isinstance(part, int) else part)
        return result

    def origin(self, trail: Trail) -> Origin:
        """Return the position of a value."""
        return self.doc.origin(self.written(trail))

    def path(self, text: str) -> Path:
        """Resolve a path of the file: `~` is the home folder, relative paths start beside the file."""
        return Path.home() / text[2:] if text.startswith("~/") else self.folder / text

    def file(self, trail: Trail, text: str) -> str:
        """Return the absolute path of a required file; report it if it does not exist."""
        path = self.path(text)
        if path_type(path) == "folder":
            self.wrong(trail, f"{text} is a folder", "name the file in it")
        elif not path_type(path):
            self.wrong(
                trail, f"no such file: {text}", "relative paths start from the folder of the mesh file"
            )
        return str(path.absolute())

    def stop(self) -> None:
        """Raise `InputError` with all problems, if there are any."""
        problems = sorted(set(self.found))
        if len(problems) > MAX_PROBLEMS:
            first, rest = problems[MAX_PROBLEMS], len(problems) - MAX_PROBLEMS
            more = Problem(
                first.file, first.line, first.col, "", f"and {rest} more from here", "fix these first"
            )
            problems = [*problems[:MAX_PROBLEMS], more]
        if problems:
            raise InputError(tuple(problems))


def path_type(path: Path) -> Literal["file", "folder", ""]:
    """Return the type of what a path leads to; "" if nothing exists there or the path is not valid."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return ""
    return "folder" if S_ISDIR(mode) else "file"


def _inside(trail: Trail, outer: Trail) -> bool:
    return trail[: len(outer)] == outer
