"""A plan in a few sentences: which versions, links and certificates change, and the effect on traffic.

Pure. Every sentence follows from the steps; what has no sentence of its own is in the counts of the plan.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from mesh.istio.addresses import is_component, is_connection
from mesh.model import ABSENT, NO_CLUSTER, Action, Plan, Reason, Step

NAMED = 4
"""Clusters that a sentence names; more are counted."""

EFFECTS = ("istiod restarts", "istio-cni restarts", "ztunnel restarts", "istiod then replaces")
"""How the notes begin that tell the effect of a step on traffic, which the summary says for all clusters."""


def plan_summary(plan: Plan) -> tuple[str, ...]:
    """Return the sentences about a plan, what changes first, then what it does to traffic."""
    steps = [step for step in plan.steps if step.action not in {Action.READ, Action.NOOP}]
    return (
        *_versions(steps, plan),
        *_links(steps),
        *_outside(steps, plan),
        *_expiring(steps, plan),
        *_removed(steps, plan),
        *_forgotten(steps, plan),
        *_traffic(steps, plan),
    )


def _versions(steps: Iterable[Step], plan: Plan) -> Iterator[str]:
    moved: dict[tuple[str, str], list[Step]] = {}
    for step in steps:
        if is_component(step.key) and (change := _version(step)):
            moved.setdefault(change, []).append(step)
    for (before, after), each in moved.items():
        what = f"Istio {before} -> {after}" if before else f"Install Istio {after}"
        parts = ", ".join(dict.fromkeys(step.key.name for step in each))
        turns = ", one after another" if before and len(_clusters(each)) > 1 else ""
        yield f"{what}{_where(each, plan)}{turns}: {parts}"


def _version(step: Step) -> tuple[str, str] | None:
    """Return the version before ("" for none) and after, if a step changes it."""
    field = next((each for each in step.fields if each.path == ("version",)), None)
    if field is None or field.after is ABSENT or step.action is Action.DELETE:
        return None
    return "" if field.before is ABSENT else str(field.before), str(field.after)


def _links(steps: Iterable[Step]) -> Iterator[str]:
    links = [step for step in steps if is_connection(step.key)]
    words = {Action.CREATE: "added", Action.DELETE: "removed", Action.UPDATE: "changed"}
    for action, word in words.items():
        number = sum(step.action is action and step.reason is not Reason.DRIFT for step in links)
        if number:
            yield f"{counted(number, 'link')} {word}"


def _outside(steps: Iterable[Step], plan: Plan) -> Iterator[str]:
    drifted = [step for step in steps if step.reason is Reason.DRIFT]
    made = [step for step in drifted if step.action is Action.CREATE]
    if made:
        yield f"{counted(len(made), 'resource')} created again{_where(made, plan)}: deleted outside mesh"
    changed = [step for step in drifted if step.action is not Action.CREATE]
    if changed:
        fields = [field for step in changed for field in step.fields]
        who = sorted({field.touch.manager for field in fields if field.touch})
        by = f" by {', '.join(who)}" if who else ""
        yield f"{counted(len(fields), 'field')} changed outside mesh{by} put back{_where(changed, plan)}"


def _expiring(steps: Iterable[Step], plan: Plan) -> Iterator[str]:
    due = [step for step in steps if step.reason is Reason.EXPIRING]
    if due:
        number = counted(len(due), "certificate or token", "certificates or tokens")
        yield f"{number} renewed{_where(due, plan)}"


def _removed(steps: Iterable[Step], plan: Plan) -> Iterator[str]:
    gone = [step for step in steps if step.action is Action.DELETE and not is_connection(step.key)]
    if gone:
        what = "the mesh is removed" if plan.destroying else f"{counted(len(gone), 'resource')} destroyed"
        yield f"{what[0].upper()}{what[1:]}{_where(gone, plan)}"
    replaced = [step for step in steps if step.action is Action.REPLACE]
    if replaced:
        yield f"{counted(len(replaced), 'resource')} destroyed and created again{_where(replaced, plan)}"


def _forgotten(steps: Iterable[Step], plan: Plan) -> Iterator[str]:
    left = [step for step in steps if step.action is Action.FORGET]
    if left:
        number = counted(len(left), "resource")
        yield f"{number}{_where(left, plan)} will no longer be managed, but not be destroyed"


def _traffic(steps: Iterable[Step], plan: Plan) -> Iterator[str]:
    effects: dict[str, list[Step]] = {}
    for step in steps:
        for note in step.notes:
            if note.startswith(EFFECTS):
                effects.setdefault(note, []).append(step)
    moved = set(_clusters(step for step in steps if is_component(step.key) and _version(step)))
    for note, each in effects.items():
        where = f" ({_where(each, plan).strip()})" if set(_clusters(each)) != moved else ""
        yield f"{note}{where}"


def _clusters(steps: Iterable[Step]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(step.key.cluster for step in steps if step.key.cluster != NO_CLUSTER))


def _where(steps: Iterable[Step], plan: Plan) -> str:
    names = _clusters(steps)
    return f" in {some_clusters(names, every_cluster(plan))}" if names else ""


def every_cluster(plan: Plan) -> frozenset[str]:
    """Return the clusters of the mesh of a plan."""
    return frozenset(plan.fleet or plan.clusters)


def some_clusters(names: Sequence[str], every: frozenset[str]) -> str:
    """Return which clusters these are: a few by name, more by number, and whether they are all."""
    if len(names) <= NAMED:
        return ", ".join(names)
    return f"all {len(names)} clusters" if every.issubset(names) else f"{len(names)} clusters"


def counted(number: int, one: str, several: str = "") -> str:
    """Return a number with its noun."""
    return f"{number} {one if number == 1 else several or f'{one}s'}"
