"""What a plan must not destroy, or not so much at once; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from mesh.errors import InputError, Problem, RefusedError, UsageError
from mesh.model import Action, Key, Origin, Plan, Step
from mesh.planner.selection import matches, near

FIELD = "spec.preventDestroy"
DESTROYS = frozenset({Action.DELETE, Action.REPLACE})
FREE = 3
"""Deletions that need no option, however small the mesh is."""
SHARE = 0.25
"""The share of the recorded resources above which deletions need the option."""
ALL = "all"


def check_protected(patterns: Mapping[str, Origin], known: Iterable[Key]) -> None:
    """Reject every pattern in the mesh file that protects nothing: a mistyped one would protect nothing."""
    keys = tuple(known)
    problems = [
        Problem(
            at.file,
            at.line,
            at.col,
            FIELD,
            f"{pattern}: no resource of this mesh matches",
            near(pattern, keys),
        )
        for pattern, at in patterns.items()
        if not any(matches(pattern, key) for key in keys)
    ]
    if problems:
        raise InputError(tuple(sorted(problems)))


def refuse_protected(steps: Iterable[Step], patterns: Mapping[str, Origin]) -> None:
    """Raise RefusedError if a step destroys what the mesh file protects, with the line of each."""
    lines = [
        f"{step.key} would be {'replaced' if step.action is Action.REPLACE else 'destroyed'}, and {FIELD} "
        f"({at}, {pattern}) forbids it"
        for step in steps
        if step.action in DESTROYS
        for pattern, at in patterns.items()
        if matches(pattern, step.key)
    ]
    if lines:
        raise RefusedError(
            "\n".join(lines),
            hint="remove that line to destroy it, or leave it out of the plan with --exclude",
        )


def deletions(plan: Plan) -> int:
    """Return how many recorded resources a plan deletes; a replacement creates the resource again."""
    return sum(step.action is Action.DELETE for step in plan.steps)


def is_much(plan: Plan) -> bool:
    """Return whether a plan deletes so much of the mesh that an option must allow it."""
    number = deletions(plan)
    return number > FREE and number > SHARE * plan.entries


def allowance(text: str) -> str:
    """Return a valid value of --allow-deletes; raise UsageError for another one."""
    if text in ("", ALL) or text.isdecimal():
        return text
    raise UsageError(f"--allow-deletes {text}: neither a number nor {ALL}", hint=f"write a number or {ALL}")


def refuse_deletions(plan: Plan, allowed: str) -> None:
    """Raise RefusedError if a plan deletes much of the mesh and more than is allowed."""
    number = deletions(plan)
    if not is_much(plan) or allowed == ALL or (allowed and number <= int(allowed)):
        return
    raise RefusedError(
        f"this plan deletes {number} of {plan.entries} recorded resources",
        hint=f"if that is intended, add --allow-deletes {number}; otherwise look for what left the mesh file",
    )


def deletion_warning(plan: Plan, allowed: str) -> tuple[str, ...]:
    """Return the warning that an apply will refuse this plan without an option, if it will."""
    try:
        refuse_deletions(plan, allowed)
    except RefusedError as error:
        return (f"{error.message}: apply refuses that without --allow-deletes {deletions(plan)}",)
    return ()
