"""Render a fold of steps as lines: what is the same in several clusters once, outliers by their difference.

A short plan leaves out what the guide gives and what a chart renders, and says how much that is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from mesh.cli.views.escape import terminal
from mesh.cli.views.step_lines import Line, block_lines, headline, noted, reason
from mesh.cli.views.values import adds, leaves
from mesh.istio.plan_summary import EFFECTS, NAMED, counted, some_clusters
from mesh.model import Action, Field, ManifestChange, Path, Reason, Step
from mesh.planner.fold import EACH, Fold
from mesh.sdk.contract import AT_APPLY

MOST = 3
"""Fields of a creation that a short plan shows, beside those that the mesh file states."""

LONG = "shown by `--full`"

_MADE = {Action.CREATE: "created", Action.UPDATE: "changed"}


def fold_lines(folds: Sequence[Fold], position: int, every: frozenset[str]) -> Iterator[Line]:
    """Yield the lines of a fold in short form; `every` are the clusters of the mesh."""
    fold = folds[position]
    base = None if fold.like is None else folds[fold.like].template
    step, hidden = _short(fold.template if base is None else _difference(base, fold.template))
    why = reason(step)
    because = f" ({why})" if why else ""
    beside = f", as {terminal(str(base.key))} but for:" if base else ""
    is_gone = step.action is Action.DELETE and not step.manifests
    sign = step.action.value.strip() if is_gone else "#"
    yield Line(sign, 0, f"{fold_headline(fold, every)}{because}{beside}")
    yield from (Line("#", 0, note) for note in noted(step))
    if is_gone:  # its address says what is removed
        return
    body = list(block_lines(step))
    if hidden and len(body) == 1:
        body = [replace(body[0], text=body[0].text.removesuffix(" {}") + " {"), Line("", 0, "}")]
    *inside, last = body
    yield from inside
    if hidden:
        yield Line("#", 1, f"({hidden}: {LONG})")
    yield last


def fold_headline(fold: Fold, every: frozenset[str]) -> str:
    """Return `ADDRESS will be created in CLUSTERS`; `every` are the clusters of the mesh."""
    text = headline(fold.template)
    if len(fold.steps) == 1:
        return text
    turn = ", one after another" if fold.in_turn else ""
    if fold.template.key.name == EACH:
        return f"{text} {_between(fold, every)}{turn}"
    times = f" {len(fold.steps)} times" if len(fold.steps) > len(fold.clusters) else ""
    return f"{text}{times} in {terminal(some_clusters(fold.clusters, every))}{turn}"


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
    kept = tuple(each for each in step.manifests if not _follows(step, each))
    made = Counter(each.action for each in step.manifests if _follows(step, each))
    words = [
        *([counted(usual, "value of the guide", "values of the guide")] if usual else []),
        *([counted(more, "more field")] if more else []),
        *(f"{counted(made[action], 'object')} {word}" for action, word in _MADE.items() if made[action]),
    ]
    notes = tuple(each for each in step.notes if not each.startswith((AT_APPLY, *EFFECTS)))
    return replace(step, fields=fields, manifests=kept, notes=notes), ", ".join(words)


def _follows(step: Step, change: ManifestChange) -> bool:
    """Whether a change of a rendered object follows from the fields of its step, and destroys nothing."""
    # No field shows a change by another writer, or of a chart that changed under the same version.
    explained = step.action is Action.CREATE or (step.reason is Reason.CONFIG and step.fields)
    return bool(explained) and change.action in _MADE


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
