"""Count the steps of a plan, for the summary line, tables and JSON."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from mesh.model import NO_CLUSTER, Action, Deferral, Key, Plan, Reason, Step


@dataclass(frozen=True, slots=True)
class Counts:
    """Number of resources per action; a replacement is one addition and one removal, as in Terraform."""

    imported: int = 0
    add: int = 0
    change: int = 0
    destroy: int = 0
    forget: int = 0
    not_ready: int = 0
    deferred: int = 0


def count(steps: Iterable[Step], deferred: Iterable[Deferral]) -> Counts:
    """Count steps and deferrals."""
    steps = tuple(steps)
    actions = [step.action for step in steps]
    replaced = actions.count(Action.REPLACE)
    return Counts(
        imported=sum(step.reason is Reason.ADOPT and step.action in _ADOPTS for step in steps),
        add=actions.count(Action.CREATE) + replaced,
        change=actions.count(Action.UPDATE),
        destroy=actions.count(Action.DELETE) + replaced,
        forget=actions.count(Action.FORGET),
        not_ready=actions.count(Action.READ),
        deferred=len(tuple(deferred)),
    )


def count_each(
    steps: Iterable[Step], deferred: Iterable[Deferral], group: Callable[[Key], str] = lambda key: key.cluster
) -> Mapping[str, Counts]:
    """Count steps and deferrals by group, by cluster unless told otherwise; 0 of all for another group."""
    parts: dict[str, tuple[list[Step], list[Deferral]]] = defaultdict(lambda: ([], []))
    for step in steps:
        parts[group(step.key)][0].append(step)
    for each in deferred:
        parts[group(each.key)][1].append(each)
    return defaultdict(Counts, {name: count(*part) for name, part in parts.items()})


_ADOPTS = frozenset({Action.NOOP, Action.UPDATE, Action.REPLACE, Action.READ})


def clusters_of(plan: Plan) -> tuple[str, ...]:
    """Return the clusters of a plan by name, including clusters without steps or without a known identity."""
    keys = [step.key for step in plan.steps] + [each.key for each in plan.deferred]
    return tuple(sorted(({key.cluster for key in keys} | set(plan.clusters)) - {NO_CLUSTER}))


def summary(counts: Counts) -> str:
    """Return `Plan: N to add, N to change, N to destroy.`, byte for byte as Terraform prints it."""
    imported = f"{counts.imported} to import, " if counts.imported else ""
    return f"Plan: {imported}{counts.add} to add, {counts.change} to change, {counts.destroy} to destroy."


def second_line(plan: Plan) -> str:
    """Return `2 clusters: 1 not ready, 3 deferred.`."""
    counts = count(plan.steps, plan.deferred)
    number = len(clusters_of(plan))
    noun = "cluster" if number == 1 else "clusters"
    return f"{number} {noun}: {counts.not_ready} not ready, {counts.deferred} deferred."
