"""Where the mistakes of one run are collected, so that all of them are told at once."""

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
    """A document, the folder its relative paths start from, and what is wrong so far.

    `kept` says which items are left of a list that lost some (see `translate.without`): trails
    given here count the items that are left, and what is told counts those that are written.
    A complaint about a place that lost something is not told: it may be about the loss.
    """

    def __init__(self, doc: Document) -> None:
        self.doc = doc
        self.folder = Path(doc.file).parent
        self.found: list[Problem] = list(doc.problems)
        self.kept: Mapping[Trail, Sequence[int]] = {}
        self.lost: set[Trail] = set()
        self.digests: list[str] = [doc.digest]

    def wrong(self, trail: Trail, what: str, hint: str = "") -> None:
        """Note that a value is wrong."""
        written = self.written(trail)
        if not any(_inside(written, lost) or _inside(lost, written) for lost in self.lost):
            self.found.append(self.doc.problem(written, what, hint))

    def written(self, trail: Trail) -> Trail:
        """Return the trail of a value in the document as it was written."""
        result: Trail = ()
        for part in trail:
            kept = self.kept.get(result)
            result = (*result, kept[part] if kept is not None and isinstance(part, int) else part)
        return result

    def origin(self, trail: Trail) -> Origin:
        """Return where a value is written."""
        return self.doc.origin(self.written(trail))

    def path(self, text: str) -> Path:
        """Return the path that is meant by one in the file: `~` is the home, the rest starts beside it."""
        return Path.home() / text[2:] if text.startswith("~/") else self.folder / text

    def file(self, trail: Trail, text: str) -> str:
        """Return the absolute path of a file that must be there; note it if it is not."""
        path = self.path(text)
        if is_there(path) == "folder":
            self.wrong(trail, f"{text} is a folder", "name the file in it")
        elif not is_there(path):
            self.wrong(trail, f"no such file: {text}", "relative paths start from the folder of this file")
        return str(path.absolute())

    def stop(self) -> None:
        """Raise `InputError` with everything that was found, if anything was."""
        problems = sorted(set(self.found))
        if len(problems) > MAX_PROBLEMS:
            first, rest = problems[MAX_PROBLEMS], len(problems) - MAX_PROBLEMS
            more = Problem(
                first.file, first.line, first.col, "", f"and {rest} more from here", "mend these first"
            )
            problems = [*problems[:MAX_PROBLEMS], more]
        if problems:
            raise InputError(tuple(problems))


def is_there(path: Path) -> Literal["file", "folder", ""]:
    """Say what is at a path; "" also where no such path can be."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return ""
    return "folder" if S_ISDIR(mode) else "file"


def _inside(trail: Trail, outer: Trail) -> bool:
    return trail[: len(outer)] == outer
