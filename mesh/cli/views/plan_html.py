"""A plan as one HTML page: for people without a terminal or access to the clusters.

The page is self-contained and runs no script, so it can be attached to a ticket or served by a build system.
Every fold opens into the steps of its clusters: nothing that `--full` prints is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from mesh.cli.views.counts import Counts, clusters_of, count, count_each, second_line, summary
from mesh.cli.views.diff_blocks import folds_of
from mesh.cli.views.escape import terminal
from mesh.cli.views.fold_lines import fold_lines
from mesh.cli.views.page import page
from mesh.cli.views.plan_text import no_changes, where
from mesh.cli.views.step_lines import Line, address, noted, step_lines, unready
from mesh.istio.plan_summary import every_cluster, plan_summary
from mesh.model import NO_CLUSTER, Action, Plan, Step

_STYLES = {"+": "add", "-": "del", "~": "change", "-/+": "replace", "<=": "wait", "#": "remark"}


@dataclass(frozen=True, slots=True)
class HtmlLine:
    """One line of a block: its style is a class of the page, `indent` is in columns."""

    style: str
    indent: int
    sign: str
    text: str


@dataclass(frozen=True, slots=True)
class HtmlFold:
    """A fold: `steps` is empty for a single step that `lines` show whole."""

    style: str
    sign: str
    title: str
    lines: tuple[HtmlLine, ...]
    steps: tuple[tuple[str, tuple[HtmlLine, ...]], ...]


def plan_html(plan: Plan) -> str:
    """Return the page; the template escapes every text."""
    removed = [step for step in plan.steps if step.action in {Action.DELETE, Action.REPLACE}]
    return page(
        "plan.html",
        mesh=terminal(plan.mesh),
        where=terminal(where(plan)),
        nothing=no_changes(plan) if plan.empty else "",
        in_short=[terminal(each) for each in plan_summary(plan)],
        counts=[summary(count(plan.steps, plan.deferred)), second_line(plan)],
        removed=[_removal(step) for step in removed],
        not_ready=[
            (address(step.key), "; ".join([unready(step), *noted(step)]))
            for step in plan.steps
            if step.action is Action.READ
        ],
        deferred=[(address(each.key), terminal(each.why)) for each in plan.deferred],
        warnings=[terminal(each) for each in plan.remarks],
        left=[(address(each.key), terminal(each.where), terminal(each.owner)) for each in plan.left],
        clusters=list(_rows(plan)),
        folds=list(_folds(plan)),
        digest=terminal(plan.digest),
    )


def _removal(step: Step) -> str:
    return f"{'replace' if step.action is Action.REPLACE else 'destroy'} {address(step.key)}"


def _rows(plan: Plan) -> Iterator[tuple[str, Counts]]:
    """Yield each cluster with what it counts; what belongs to no cluster only if there is something."""
    counts = count_each(plan.steps, plan.deferred)
    if NO_CLUSTER in counts:
        yield "no cluster", counts[NO_CLUSTER]
    yield from ((terminal(cluster), counts[cluster]) for cluster in clusters_of(plan))


def _folds(plan: Plan) -> Iterator[HtmlFold]:
    folds, every = folds_of(plan), every_cluster(plan)
    for position, each in enumerate(folds):
        whole = tuple((address(step.key), _lines(step_lines(step))) for step in each.steps)
        short = _lines(fold_lines(folds, position, every))
        sign = each.template.action.value.strip()
        yield HtmlFold(
            style=_STYLES.get(sign, ""),
            sign=sign,
            title=short[0].text,
            lines=short[1:],
            steps=() if len(whole) == 1 and whole[0][1] == short else whole,
        )


def _lines(lines: Iterable[Line]) -> tuple[HtmlLine, ...]:
    return tuple(HtmlLine(_STYLES.get(each.sign, ""), 4 * each.depth, each.sign, each.text) for each in lines)
