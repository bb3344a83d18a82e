"""A plan as text for a terminal, with Terraform's words and symbols."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator

from mesh.cli.views.colour import Paint, painter
from mesh.cli.views.counts import count, second_line, summary
from mesh.cli.views.detail import Detail
from mesh.cli.views.escape import terminal
from mesh.cli.views.fold_lines import fold_headline, fold_lines
from mesh.cli.views.step_lines import Line, address, noted, step_lines, unready
from mesh.istio.plan_summary import NAMED, every_cluster, plan_summary
from mesh.model import Action, Deferral, Left, Plan, Reason, Step
from mesh.planner.fold import fold

NO_CHANGES = "No changes. Your clusters match the configuration."
NOTHING_TO_DESTROY = "No changes. No objects need to be destroyed."
AS_RECORDED = (
    "No changes. Your clusters match the configuration, as of the last apply and what shows without Secrets."
)

PARTIAL = "No changes in the selected resources. The others were not planned."

_LEGEND = {
    Action.CREATE: "create",
    Action.UPDATE: "update in-place",
    Action.DELETE: "destroy",
    Action.REPLACE: "destroy and then create replacement",
    Action.READ: "wait until ready",
    Action.FORGET: "forget, leave in the cluster",
}


def plan_text(plan: Plan, *, colour: bool, width: int, detail: Detail = Detail.FULL) -> str:
    """Return the plan; it ends with a newline. `width` wraps prose, never a value."""
    paint = painter(colour=colour)
    if plan.empty:
        parts = [paint(no_changes(plan), "bold")]
    else:
        first = [*_in_short(plan, paint, width), *_not_ready(plan, paint), *_deferred(plan.deferred, paint)]
        parts = [*first, *_changes(plan, paint, detail)]
        last = [_bold_head(summary(count(plan.steps, plan.deferred)), paint), second_line(plan)]
        parts.append("\n".join([*last, f"Digest: {terminal(plan.digest)}"] if plan.digest else last))
    parts += _left(plan.left, paint)
    parts += _warnings(plan.remarks, paint, width)
    return "\n\n".join(parts) + "\n"


def no_changes(plan: Plan) -> str:
    """Return the sentence for a plan without changes, with its limits."""
    if plan.is_partial:
        return PARTIAL
    if plan.destroying:
        return NOTHING_TO_DESTROY
    return AS_RECORDED if plan.recorded else NO_CHANGES


def shown(step: Step) -> bool:
    """Return whether a step has its own block in the list of actions."""
    if step.action is Action.NOOP:
        return step.reason is Reason.ADOPT
    return step.action is not Action.READ


def _in_short(plan: Plan, paint: Paint, width: int) -> Iterator[str]:
    """Yield what changes in words, and where."""
    lines = [paint(terminal(where(plan)), "bold")]
    for each in plan_summary(plan):
        text = textwrap.fill(
            terminal(each),
            max(width, 20),
            initial_indent="  * ",
            subsequent_indent="    ",
            break_long_words=False,
            break_on_hyphens=False,
        )
        lines.append(text)
    yield "\n".join(lines)


def where(plan: Plan) -> str:
    """Return the mesh and its clusters, a few by name, context and server."""
    places = []
    for name, each in sorted(plan.fleet.items()):
        known = [each[role] for role in ("context", "server") if each.get(role) not in {None, "", name}]
        places.append(f"{name} ({', '.join(known)})" if known else name)
    if not places or len(places) > NAMED:
        return f"mesh {plan.mesh}, {len(plan.clusters)} clusters"
    return f"mesh {plan.mesh}: {', '.join(places)}"


def _changes(plan: Plan, paint: Paint, detail: Detail) -> Iterator[str]:
    steps = [step for step in plan.steps if shown(step)]
    if not steps:
        return
    if detail is Detail.FULL:
        yield "\n".join(_legend(plan.steps, paint))
        yield "mesh will perform the following actions:"
        yield from ("\n".join(paint_line(line, paint) for line in step_lines(step)) for step in steps)
        return
    folds, every = fold(steps, plan.fleet), every_cluster(plan)
    yield "mesh will perform the following actions:"
    if detail is Detail.HEADLINES:
        lines = ((each.template.action.value.strip(), fold_headline(each, every)) for each in folds)
        yield "\n".join(f"{_sign(sign, paint)} {text}" for sign, text in lines)
        return
    for position in range(len(folds)):
        yield "\n".join(paint_line(line, paint) for line in fold_lines(folds, position, every))


def _legend(steps: Iterable[Step], paint: Paint) -> Iterator[str]:
    yield "mesh used the configuration and the live clusters to generate the following"
    yield "execution plan. Resource actions are indicated with the following symbols:"
    used = {step.action for step in steps}
    for action, words in _LEGEND.items():
        if action in used:
            yield f"{_sign(action.value.strip(), paint)} {words}"


def paint_line(line: Line, paint: Paint) -> str:
    """Return a line with its symbol in the third column of its block, as in Terraform."""
    text = paint(line.text, "bold") if line.sign == "#" and line.depth == 0 else line.text
    return f"{' ' * 4 * line.depth}{_sign(line.sign, paint)} {text}".rstrip()


def _sign(sign: str, paint: Paint) -> str:
    return " " * (3 - len(sign)) + paint.sign(sign)


def _bold_head(text: str, paint: Paint) -> str:
    head, colon, rest = text.partition(":")
    return paint(head + colon, "bold") + rest


def _not_ready(plan: Plan, paint: Paint) -> Iterator[str]:
    steps = [step for step in plan.steps if step.action is Action.READ]
    if steps:
        lines = [paint("Not ready:", "bold"), ""]
        for step in steps:
            lines.append(f"{_sign('<=', paint)} {address(step.key)}: {unready(step)}")
            lines += [f"      {note}" for note in noted(step)]
        yield "\n".join(lines)


def _deferred(deferred: tuple[Deferral, ...], paint: Paint) -> Iterator[str]:
    if not deferred:
        return
    by_reason: dict[str, list[str]] = {}
    for each in deferred:
        by_reason.setdefault(terminal(each.why), []).append(address(each.key))
    lines = [paint("Deferred:", "bold")]
    for why, addresses in by_reason.items():
        lines += ["", f"  {paint('# ' + why, 'bold')}", *(f"    {each}" for each in addresses)]
    yield "\n".join(lines)


def _left(left: tuple[Left, ...], paint: Paint) -> Iterator[str]:
    if left:
        lines = [paint("Left to their owners:", "bold"), ""]
        lines += [f"  {address(each.key)}: {terminal(each.where)}, {_owner(each)}" for each in left]
        yield "\n".join(lines)


def _owner(left: Left) -> str:
    return f"left to {terminal(left.owner)}"


def _warnings(warnings: Iterable[str], paint: Paint, width: int) -> Iterator[str]:
    for warning in warnings:
        text = textwrap.fill(
            terminal(f"Warning: {warning}"),
            max(width, 20),
            subsequent_indent="  ",
            break_long_words=False,
            break_on_hyphens=False,
        )
        yield paint("Warning:", "yellow") + text.removeprefix("Warning:")
