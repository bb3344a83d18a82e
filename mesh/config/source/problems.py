"""Collect the problems of one run, so that all of them are reported at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import Literal

from mesh.config.source.document import Document, Trail
from mesh.config.source.load import MAX_PROBLEMS
from mesh.errors import InputError, Problem
from mesh.model import Origin
from mesh.world.disk.input_file import outside
from mesh.world.untrusted import UNTRUSTED, is_allowed

BOUND = f"an untrusted mesh file ({UNTRUSTED})"


@dataclass(frozen=True, slots=True)
class Bound:
    """What an untrusted mesh file may use: chart sources, and kubeconfigs that the pipeline names."""

    sources: tuple[str, ...] = ()
    kubeconfigs: tuple[Path, ...] = ()


class Problems:
    """A document, the folder that relative paths start from, and the problems so far.

    `bound` is what an untrusted file may use, `http` the hosts that may be reached without TLS.

    `kept` holds the remaining indexes of shortened lists (see `source.partial.without`): callers
    count the remaining items, and problems are reported with the indexes of the file. A problem at
    a place that lost a part is dropped, since the loss may be its cause.
    """

    def __init__(self, doc: Document, bound: Bound | None = None, http: frozenset[str] = frozenset()) -> None:
        self.doc = doc
        self.bound = bound
        self.http = http
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

    def reachable(self, trail: Trail, text: str) -> bool:
        """Whether the mesh file may name this path; report it if an untrusted one leads out of its folder."""
        if self.bound is None or not outside(self.path(text), self.folder):
            return True
        what = f"{text} is outside the folder of the mesh file, which {BOUND} cannot use"
        self.wrong(trail, what, "move it into that folder, or run without --untrusted after a review")
        return False

    def without_links_out(self, trail: Trail, text: str, folder: Path) -> bool:
        """Whether no file below a folder is a link out of the mesh file's folder; report one if untrusted."""
        if self.bound is None:
            return True
        for each in (folder, *folder.rglob("*")):
            # A link to a folder is refused too: what is below it would have to be searched as well.
            if each.is_symlink() and (each.is_dir() or outside(each, self.folder)):
                what = f"{text} contains a link to a folder, or out of the mesh file's folder: {each.name}"
                self.wrong(trail, what, f"{BOUND} cannot use it: replace the link by the file")
                return False
        return True

    def refused(self, trail: Trail, what: str, hint: str) -> bool:
        """Whether the mesh file is untrusted, which is reported with the reason."""
        if self.bound is not None:
            self.wrong(trail, f"{what} in {BOUND}", hint)
        return self.bound is not None

    def allowed(self, trail: Trail, url: str) -> None:
        """Report the source of charts that an untrusted mesh file may not name."""
        if self.bound is not None and not is_allowed(url, self.bound.sources):
            what = f"is not one of the sources that {BOUND} may name"
            self.wrong(trail, what, f"the allowed sources are {', '.join(self.bound.sources)}")

    def file(self, trail: Trail, text: str) -> str:
        """Return the absolute path of a required file; report it if it does not exist."""
        path = self.path(text)
        if not self.reachable(trail, text):
            return str(path.absolute())
        if path_type(path) == "folder":
            self.wrong(trail, f"{text} is a folder", "name the file in it")
        elif path_type(path) == "other":
            self.wrong(trail, f"{text} is not a regular file", "name a regular file")
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


def path_type(path: Path) -> Literal["file", "folder", "other", ""]:
    """Return the type of what a path leads to; "" if nothing exists there or the path is not valid.

    A FIFO, a device and a socket are "other".
    """
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return ""
    if S_ISDIR(mode):
        return "folder"
    return "file" if S_ISREG(mode) else "other"


def _inside(trail: Trail, outer: Trail) -> bool:
    return trail[: len(outer)] == outer
