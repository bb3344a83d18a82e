"""A plan as a pull request comment: safe to post without changes, and never too long.

GitHub rejects comments above 65,536 characters; the budget is in UTF-8 bytes. Parts that do not
fit are omitted object by object: first the bodies of additions, then those of changes, then whole
objects. The table, the list of destroyed resources, and the digest always stay.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import astuple

from mesh.cli.views.counts import Counts, clusters_of, count, count_each, second_line, summary
from mesh.cli.views.diff_blocks import SEVERAL, Block, blocks, fit, folds_of, group_of, size
from mesh.cli.views.escape import fence, markdown_inline, terminal
from mesh.cli.views.plan_text import no_changes
from mesh.cli.views.sticky import Marker
from mesh.istio.plan_summary import plan_summary
from mesh.model import NO_CLUSTER, Action, Left, Plan, Step
from mesh.planner.fold import Fold

BUDGET = 60_000
MIN_BUDGET = 8_000
MAX_NAME = 300
MAX_TITLE = 100

_HEADERS = ("cluster", "add", "change", "destroy", "not ready", "deferred")


def plan_markdown(plan: Plan, *, budget: int = BUDGET) -> str:
    """Return the comment, at most `budget` bytes; raise ValueError below `MIN_BUDGET`."""
    if budget < MIN_BUDGET:
        raise ValueError(f"a comment takes at least {MIN_BUDGET} bytes, {budget} given")
    folds = folds_of(plan)
    whole = tuple(blocks(plan, folds))
    marks = fence("\n".join(block.full for block in whole))
    frame = _comment(plan, budget, sections="", note=_note(len(whole), len(whole)))
    groups = _groups(plan, folds)
    overhead = {group: size(_head(group, counts, marks) + _foot(marks)) for group, counts in groups.items()}
    kept = fit(whole, budget - size(frame) - 1, overhead)
    sections = "".join(_section(group, kept, counts, marks) for group, counts in groups.items())
    bodies = sum(bool(block.text) and block.text != block.full for block in kept)
    return _comment(
        plan, budget, sections=sections, note=_note(bodies, sum(not block.text for block in kept))
    )


def _comment(plan: Plan, budget: int, *, sections: str, note: str) -> str:
    marker = Marker(plan.mesh, plan.digest, truncated=bool(note)).line(html=True)
    parts = [marker, f"### mesh plan: {_name(plan.mesh, MAX_TITLE)}\n"]
    if plan.empty:
        parts.append(no_changes(plan) + "\n")
    else:
        parts += _in_short(plan, budget // 10)
        parts.append(f"**{summary(count(plan.steps, plan.deferred))}** {second_line(plan)}\n")
        parts += _caution(plan.steps, budget // 4)
        parts += _waiting(plan, budget // 12)
        parts.append(_table(plan, budget // 5))
    parts += _left(plan.left, budget // 12)
    parts += _warnings(plan.remarks, budget // 12)
    parts += [sections.rstrip("\n") + "\n"] if sections else []
    parts += [note] if note else []
    parts.append(f"plan `{re.sub('[^0-9A-Za-z:.-]', '', plan.digest[:MAX_TITLE])}`\n")
    return "\n".join(parts)


def _in_short(plan: Plan, room: int) -> Iterator[str]:
    """Yield what changes in words."""
    lines = [f"- {_name(each, 1_000)}" for each in plan_summary(plan)]
    if lines:
        yield "\n".join(_cut(lines, room, "- and {} more")) + "\n"


def _groups(plan: Plan, folds: Iterable[Fold]) -> dict[str, Counts]:
    """Return the sections and what each counts: what several clusters share, and the rest of each cluster."""
    group = {step.key: group_of(each) for each in folds for step in each.steps}
    counts = count_each(plan.steps, plan.deferred, lambda key: group.get(key, key.cluster))
    return {name: counts[name] for name in (SEVERAL, *_names(plan))}


def _name(text: str, limit: int = MAX_NAME) -> str:
    text = terminal(text)
    return markdown_inline(text if len(text) <= limit else text[: limit - 1] + "…")


def _caution(steps: Sequence[Step], room: int) -> Iterator[str]:
    """Yield the list of resources to be destroyed, which comes first."""
    words = {Action.DELETE: "destroy", Action.REPLACE: "replace"}
    lines = [f"> - {words[step.action]} {_name(str(step.key))}" for step in steps if step.action in words]
    if lines:
        actions = [step.action for step in steps]
        head = f"{actions.count(Action.DELETE)} to destroy, {actions.count(Action.REPLACE)} to replace"
        yield "\n".join(["> [!CAUTION]", f"> {head}:", *_cut(lines, room, "> - and {} more")]) + "\n"


def _waiting(plan: Plan, room: int) -> Iterator[str]:
    """Yield what is not ready and what is deferred, each with its reason."""
    waits = [(step.key, step.why or step.reason.value) for step in plan.steps if step.action is Action.READ]
    late = [(each.key, each.why) for each in plan.deferred]
    for head, each in (("Not ready", waits), ("Deferred", late)):
        lines = [f"- {_name(str(key))}: {_name(why, 1_000)}" for key, why in each]
        if lines:
            yield "\n".join([f"{head}:\n", *_cut(lines, room, "- and {} more")]) + "\n"


def _cut(lines: Sequence[str], room: int, more: str) -> Iterator[str]:
    """Yield as many lines as fit, and one line with the number of the others."""
    for number, line in enumerate(lines):
        room -= size(line) + 1
        if room < 0:
            yield more.format(len(lines) - number)
            return
        yield line


def _names(plan: Plan) -> tuple[str, ...]:
    return (NO_CLUSTER, *clusters_of(plan))


def _table(plan: Plan, room: int) -> str:
    rows, unchanged = [], 0
    by_cluster = count_each(plan.steps, plan.deferred)
    for cluster in _names(plan):
        counts = by_cluster[cluster]
        if any(astuple(counts)):
            numbers = (counts.add, counts.change, counts.destroy, counts.not_ready, counts.deferred)
            rows.append(f"| {_label(cluster)} | {' | '.join(map(str, numbers))} |")
        else:
            unchanged += cluster != NO_CLUSTER
    if unchanged:
        rows.append(f"| {unchanged} unchanged |{' 0 |' * 5}")
    head = [f"| {' | '.join(_HEADERS)} |", "|---|--:|--:|--:|--:|--:|"]
    return "\n".join([*head, *_cut(rows, room, "| and {} more | | | | | |")]) + "\n"


def _label(group: str) -> str:
    return {NO_CLUSTER: "no cluster", SEVERAL: "several clusters"}.get(group) or _name(group)


def _left(left: Iterable[Left], room: int) -> Iterator[str]:
    """Yield the objects that are left to another owner."""
    lines = [f"- {_name(str(each.key))}: {_name(each.where)}, left to {_name(each.owner)}" for each in left]
    if lines:
        yield "\n".join(["Left to their owners:\n", *_cut(lines, room, "- and {} more")]) + "\n"


def _warnings(warnings: Iterable[str], room: int) -> Iterator[str]:
    lines = [f"> - {_name(warning, 1_000)}" for warning in warnings]
    if lines:
        yield "\n".join(["> [!WARNING]", *_cut(lines, room, "> - and {} more")]) + "\n"


def _section(group: str, kept: Iterable[Block], counts: Counts, marks: str) -> str:
    """Return the collapsed section of one group, "" if all of its blocks were omitted."""
    texts = [block.text for block in kept if block.group == group and block.text]
    return _head(group, counts, marks) + "\n".join(texts) + _foot(marks) if texts else ""


def _head(group: str, counts: Counts, marks: str) -> str:
    words = summary(counts).removeprefix("Plan: ").removesuffix(".")
    return f"<details><summary><b>{_label(group)}</b>: {words}</summary>\n\n{marks}diff\n"


def _foot(marks: str) -> str:
    return f"\n{marks}\n\n</details>\n\n"


def _note(bodies: int, objects: int) -> str:
    if not bodies and not objects:
        return ""
    left = f"{objects} objects, and the details of {bodies} more,"
    return f"> [!NOTE]\n> {left} were omitted to keep this comment short; `mesh plan` prints everything.\n"
