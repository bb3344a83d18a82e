"""Render the objects of a plan as diff blocks, and omit blocks that do not fit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum

from mesh.cli.views.escape import markdown_code
from mesh.cli.views.fold_lines import fold_headline, fold_lines
from mesh.cli.views.plan_text import shown
from mesh.cli.views.step_lines import Line, address, headline, step_lines
from mesh.istio.plan_summary import every_cluster
from mesh.model import Action, Plan, Step
from mesh.planner.fold import Fold, fold

MIN_FOLDED_LINES = 3

SEVERAL = "*"
"""The group of what is the same in several clusters; no cluster has this name."""

_MARKS = {"+": "+", "-": "-", "-/+": "-/+", "~": "!"}


class Rank(IntEnum):
    """Order in which blocks are omitted when they do not fit."""

    ADDITION = 0
    CHANGE = 1
    REMOVAL = 2


@dataclass(frozen=True, slots=True)
class Block:
    """One object, or what is the same in several clusters.

    `full` has the body, `brief` is one line; `text` is printed, "" if omitted. `group` is the cluster, or
    `SEVERAL`.
    """

    group: str
    rank: Rank
    full: str
    brief: str
    text: str

    @property
    def size(self) -> int:
        """Return the size of the text in bytes, with its newline."""
        return size(self.text) + 1 if self.text else 0


def size(text: str) -> int:
    """Return the length of a text in UTF-8 bytes."""
    return len(text.encode("utf-8"))


def folds_of(plan: Plan) -> tuple[Fold, ...]:
    """Return the folds of what has a block of its own."""
    return fold((step for step in plan.steps if shown(step)), plan.fleet)


def group_of(each: Fold) -> str:
    """Return the group of a fold: its cluster, or `SEVERAL`."""
    return SEVERAL if len(each.clusters) > 1 else each.clusters[0]


def blocks(plan: Plan, folds: Sequence[Fold]) -> Iterator[Block]:
    """Yield every object of the plan, of which `folds` are the folds: each of these is one block."""
    seen: dict[tuple[str, ...], str] = {}
    every = every_cluster(plan)
    for position, each in enumerate(folds):
        if len(each.steps) > 1 or each.like is not None:
            head, *rest = fold_lines(folds, position, every)
            sign = each.template.action.value.strip()
            brief = diff_line(Line(sign, 0, fold_headline(each, every)))
            full = "\n".join(diff_line(line) for line in (head, *rest))
        else:
            full, brief = _full(each.template, seen), _brief(each.template)
        yield Block(group_of(each), _rank(each.template.action), full, brief, full)


def _rank(action: Action) -> Rank:
    match action:
        case Action.CREATE:
            return Rank.ADDITION
        case Action.DELETE | Action.REPLACE:
            return Rank.REMOVAL
    return Rank.CHANGE


def _full(step: Step, seen: dict[tuple[str, ...], str]) -> str:
    head, *rest = step_lines(step)
    texts = tuple(diff_line(line) for line in rest if line.sign == "#" or line.depth > 0)
    if len(texts) >= MIN_FOLDED_LINES:
        same = seen.setdefault((step.action.value, *texts), address(step.key))
        if same != address(step.key):
            return "\n".join([_brief(step), markdown_code(f"# the same as {same}")])
    return "\n".join(diff_line(line) for line in (head, *rest))


def _brief(step: Step) -> str:
    return diff_line(Line(step.action.value.strip(), 0, headline(step)))


def diff_line(line: Line) -> str:
    """Return a line with its symbol in the first column, which sets the colour in a `diff` fence."""
    if line.sign == "#":
        return markdown_code(f"{' ' * 4 * line.depth}# {line.text}")
    return markdown_code(_MARKS.get(line.sign, "").ljust(4 * line.depth + 4) + line.text).rstrip()


def fit(whole: tuple[Block, ...], room: int, overhead: Mapping[str, int]) -> tuple[Block, ...]:
    """Return the blocks, with as few omissions as the size limit (bytes) allows.

    `overhead` is the size of each group's section without its blocks. Bodies are omitted from the
    last to the first, additions before changes before removals; then whole objects, in the same order.
    """
    kept = list(whole)
    left = {group: sum(block.group == group for block in whole) for group in overhead}
    total = sum(block.size for block in whole) + sum(overhead[group] for group in left if left[group])
    for position in _omission_order(whole):
        if total <= room:
            return tuple(kept)
        old = kept[position]
        new = replace(old, text=old.brief if old.text != old.brief else "")
        kept[position] = new
        total += new.size - old.size
        if not new.text:
            left[old.group] -= 1
            total -= 0 if left[old.group] else overhead[old.group]
    return tuple(kept)


def _omission_order(whole: tuple[Block, ...]) -> Iterator[int]:
    """Yield positions in the order of omission: once for each body, then once for each object."""
    order = sorted(range(len(whole)), key=lambda position: (whole[position].rank, -position))
    yield from (position for position in order if whole[position].full != whole[position].brief)
    yield from order
