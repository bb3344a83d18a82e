"""Render a fold of steps as lines: what is the same in several clusters once, outliers by their difference.

A short plan leaves out what the guide gives and what a chart renders, and says how much that is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from mesh.cli.views.escape import terminal
from mesh.cli.views.step_lines import Line, headline, remarks, step_lines
from mesh.cli.views.values import adds, leaves
from mesh.istio.plan_summary import NAMED, some_clusters
from mesh.model import Action, Field, Path, Step
from mesh.planner.fold import EACH, Fold

MOST = 4
"""Fields of a creation that a short plan shows, beside those that the mesh file states."""

LONG = "`--full` shows them"


def fold_lines(folds: Sequence[Fold], position: int, every: frozenset[str]) -> Iterator[Line]:
    """Yield the lines of a fold in short form; `every` are the clusters of the mesh."""
    fold = folds[position]
    yield Line("#", 0, fold_headline(fold, every))
    if fold.like is not None:
        step = _difference(folds[fold.like].template, fold.template)
        yield from _lines(step, f"as {terminal(str(folds[fold.like].template.key))}, but for:")
    else:
        yield from _lines(fold.template, "")


def _lines(step: Step, beside: str) -> Iterator[Line]:
    short, hidden = _short(step)
    _, *rest = step_lines(short)
    if beside:
        yield Line("#", 0, beside)
    notes = set(remarks(short))
    yield from (line for line in rest if line.sign == "#" and line.depth == 0 and line.text in notes)
    body = [line for line in rest if not (line.sign == "#" and line.depth == 0)]
    if hidden and len(body) == 1:
        first = replace(body[0], text=body[0].text.removesuffix(" {}") + " {")
        body = [first, Line("", 0, "}")]
    *inside, last = body
    yield from inside
    if hidden:
        yield Line("#", 1, f"({hidden}: {LONG})")
    yield last


def fold_headline(fold: Fold, every: frozenset[str]) -> str:
    """Return `ADDRESS will be created in CLUSTERS`; `every` are the clusters of the mesh."""
    text = headline(replace(fold.template, fields=(), manifests=()))
    if len(fold.steps) == 1:
        return text
    if fold.template.key.name == EACH:
        return f"{text} {_between(fold, every)}"
    times = f" {len(fold.steps)} times" if len(fold.steps) > len(fold.clusters) else ""
    return f"{text}{times} in {terminal(some_clusters(fold.clusters, every))}"


def _between(fold: Fold, every: frozenset[str]) -> str:
    """Return from which clusters to which: of a full mesh the clusters, otherwise each pair, or the first."""
    pairs = [(step.key.cluster, step.key.name) for step in fold.steps]
    ends = tuple(dict.fromkeys(name for pair in pairs for name in pair))
    if len(pairs) == len(ends) * (len(ends) - 1) > NAMED:
        return f"{len(pairs)} times, from each to each other of {terminal(some_clusters(ends, every))}"
    shown = ", ".join(f"{terminal(one)} -> {terminal(other)}" for one, other in pairs[:NAMED])
    more = f" and {len(pairs) - NAMED} more" if len(pairs) > NAMED else ""
    return f"{len(pairs)} times: {shown}{more}" if more else f"for {shown}"


def _short(step: Step) -> tuple[Step, str]:
    """Return a step without what a short plan leaves out, and what that is in words."""
    fields, usual, more = _fields(step)
    objects = Counter(
        each.object.partition(" ")[0] for each in step.manifests if each.action is Action.CREATE
    )
    whole = step.action is Action.CREATE
    kept = () if whole else step.manifests
    words = [
        *([f"{usual} values of the guide"] if usual else []),
        *([f"{more} more fields"] if more else []),
        *([f"{sum(objects.values())} objects"] if whole and objects else []),
    ]
    return replace(step, fields=fields, manifests=kept), ", ".join(words)


def _fields(step: Step) -> tuple[tuple[Field, ...], int, int]:
    """Return the fields to show, and how many are left out: the guide's, and others."""
    if step.action is not Action.CREATE:
        return step.fields, 0, 0
    every = [each for field in step.fields for each in _leaves(field) if each.after != step.key.name]
    stated = [each for each in every if not _is_usual(each.path, step.usual)]
    kept = stated[:MOST] if not step.usual else stated
    usual = sum(len(each.path) > 1 for each in every if _is_usual(each.path, step.usual))
    return tuple(kept), usual, len(stated) - len(kept)


def _leaves(field: Field) -> Iterable[Field]:
    if not adds(field):
        return [field]
    return [replace(field, path=path, after=value) for path, value in leaves(field.path, field.after)]


def _is_usual(path: Path, usual: Iterable[Path]) -> bool:
    return any(each[: len(path)] == path for each in usual)


def _difference(base: Step, other: Step) -> Step:
    """Return a step with only what another one does not have in the same form."""
    fields = tuple(each for each in other.fields if each not in base.fields)
    manifests = tuple(each for each in other.manifests if each not in base.manifests)
    notes = tuple(each for each in other.notes if each not in base.notes)
    return replace(other, fields=fields, manifests=manifests, notes=notes)
