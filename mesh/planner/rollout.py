"""Order disruptive changes cluster by cluster, so that one begins when the one before is ready; pure.

New resources are created everywhere at once. An update, replacement or deletion of what carries traffic waits
for those of the clusters before, and so does not begin while one of them is not ready. Clusters that are
no longer in the file come last. A destroy deletes everywhere at once: no traffic is to be kept alive.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from mesh.model import NO_CLUSTER, Action, Key, Step
from mesh.model.spec import Rollout
from mesh.sdk import ask
from mesh.sdk.contract import Registry

CHANGES = frozenset({Action.UPDATE, Action.REPLACE})
GATED = CHANGES | {Action.DELETE}

WAITS = "waits until "
"""How the note of a step begins that waits for the clusters before its own."""


def waves(
    clusters: Iterable[str], rollout: Rollout, others: Iterable[str] = ()
) -> tuple[tuple[str, ...], ...]:
    """Split the clusters into groups that change at a time: those named first, then the rest in order.

    `others` have something to be changed, too; those that are not among the clusters come last.
    """
    names = list(clusters)
    order = [
        *(name for name in rollout.first if name in names),
        *(n for n in names if n not in rollout.first),
        *sorted(set(others) - {*names, NO_CLUSTER}),
    ]
    return tuple(tuple(order[at : at + rollout.clusters]) for at in range(0, len(order), rollout.clusters))


def gate_of(rollout: Rollout, moved: tuple[str, ...], *, destroy: bool) -> Rollout:
    """Return the rollout, without its gate while roots of trust move or the mesh is being destroyed."""
    # A peer is connected only if both ends exist and trust the same root. Between the change of one end and
    # of the other no check of the link can pass, so a gate there would hold the run up for ever.
    return replace(rollout, gate="ready") if moved or destroy else rollout


def cluster_by_cluster(
    steps: Mapping[Key, Step],
    kinds: Registry,
    groups: Iterable[Iterable[str]],
    rollout: Rollout,
    which: frozenset[Action] = GATED,
) -> dict[Key, Step]:
    """Return the steps with the needs that keep each group of clusters behind the one before it.

    `which` are the actions that wait. No cycle can form: a step only gains needs on steps of earlier
    groups, and what carries traffic depends on nothing in another cluster. What does, such as a link, is
    not gated. Waiting for all gated steps of the group before, its waits for readiness among them, means
    that one group at a time is disturbed. A group without changes hands on the group before it: else the
    third would not wait for the first.
    """
    ordered = dict(steps)
    before: frozenset[Key] = frozenset()
    for group in groups:
        here = {key for key in steps if key.cluster in set(group) and ask.disrupts(kinds[key.kind], key)}
        gated = {key for key in here if steps[key].action in which}
        for key in gated if before else ():
            ordered[key] = _behind(steps[key], before, gated, rollout)
        before = frozenset(key for key in here if steps[key].action in which | {Action.READ}) or before
    return ordered


def _behind(step: Step, before: frozenset[Key], gated: set[Key], rollout: Rollout) -> Step:
    clusters = tuple(sorted({key.cluster for key in before}))
    is_first = not step.needs & gated
    is_checked = rollout.gate == "check"
    done = "done and ready, and passes its checks" if is_checked else "done and ready"
    return replace(
        step,
        needs=step.needs | before,
        pause=rollout.pause.total_seconds() if is_first else 0.0,
        gate=clusters if is_first and is_checked else (),
        notes=(*step.notes, f"{WAITS}{', '.join(clusters)} is {done}") if is_first else step.notes,
    )
