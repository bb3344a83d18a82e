"""Render an error for people: what is wrong, where, and the next move."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from mesh.cli.views.colour import Paint, painter
from mesh.cli.views.escape import terminal
from mesh.cli.views.tables import cells
from mesh.errors import InputError, MeshError, Problem
from mesh.model.mask import MASK
from mesh.model.secret_shapes import strike_assigned

Source = Callable[[str], str | None]
"""Returns the text of an input file by the name that the user gave, or None if it is unreadable."""

MAX_LINE = 120
_TOKEN = re.compile(r"[^\s:,\[\]{}#]+|.")


def error_text(error: MeshError, *, source: Source | None = None, colour: bool = False) -> str:
    """Return an error as text for stderr; it ends with a newline. The exit code is `error.exit_code`.

    With `source`, each problem of an input file shows the line and a caret; without it, each is one
    line `file:line:col: path: what: hint`, for logs and programs.
    """
    paint = painter(colour=colour)
    if not isinstance(error, InputError):
        return "\n".join(_plain(error.message or type(error).__name__, error.hint, paint)) + "\n"
    problems = sorted(error.problems)
    if source is None:
        return "".join(f"{terminal(str(problem))}\n" for problem in problems)
    blocks = ["\n".join(_problem(problem, source, paint)) for problem in problems]
    return "\n\n".join([*blocks, _total(problems, paint)]) + "\n"


def _plain(message: str, hint: str, paint: Paint) -> Iterator[str]:
    first, *rest = message.rstrip("\n").split("\n")
    yield f"{paint('error:', 'red')} {paint(terminal(first), 'bold')}"
    yield from (f"  {terminal(line)}" for line in rest)
    if hint:
        yield f" {paint('hint:', 'cyan')} {terminal(hint)}"


def _total(problems: list[Problem], paint: Paint) -> str:
    files = ", ".join(sorted({terminal(problem.file) for problem in problems}))
    noun = "problem" if len(problems) == 1 else "problems"
    return f"{paint('error:', 'red')} {len(problems)} {noun} in {files}"


def _problem(problem: Problem, source: Source, paint: Paint) -> Iterator[str]:
    """Yield the lines of one problem, in the format of rustc and ruff."""
    text = source(problem.file) if problem.line else None
    gutter = " " * len(str(problem.line))
    yield f"{paint('error:', 'red')} {paint(terminal(_heading(problem)), 'bold')}"
    place = f"{problem.file}:{problem.line}:{problem.col}" if problem.line else problem.file
    yield f"{gutter}{paint('-->', 'cyan')} {terminal(place)}"
    lines = text.splitlines() if text else []
    if 0 < problem.line <= len(lines):
        yield from _snippet(lines[problem.line - 1], problem, gutter, paint)
    elif problem.path:
        yield f"{gutter} {paint('=', 'cyan')} at {terminal(problem.path)}"
    if problem.hint:
        yield f"{gutter} {paint('=', 'cyan')} help: {terminal(problem.hint)}"


def _heading(problem: Problem) -> str:
    """Return what is wrong as a sentence: with the path as its subject where it begins with a verb."""
    if problem.what == "unknown key":
        return f"unknown key {problem.path}"
    verb = problem.what.partition(" ")[0] in ("is", "has", "must", "needs", "contains", "cannot")
    return f"{problem.path or 'the file'} {problem.what}" if verb else problem.what


def _snippet(line: str, problem: Problem, gutter: str, paint: Paint) -> Iterator[str]:
    bar = paint("|", "cyan")
    line = strike_assigned(line, MASK)
    column = min(max(problem.col - 1, 0), len(line))
    start = max(column - MAX_LINE // 2, 0) if column > MAX_LINE else 0
    token = _TOKEN.match(line, column)
    width = cells(terminal(token[0])) if token else 1
    caret = " " * cells(terminal(line[start:column])) + paint("^" * min(width, MAX_LINE), "red")
    yield f"{gutter} {bar}"
    yield f"{paint(str(problem.line), 'cyan')} {bar} {terminal(line[start : start + MAX_LINE])}"
    yield f"{gutter} {bar} {caret} {terminal(problem.path)}".rstrip()
