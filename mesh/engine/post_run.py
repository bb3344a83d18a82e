"""After the last step of a run: whether what was changed, and what depends on it, still works.

A step ends when its own resource is ready, which says nothing of the links that depend on it. So after a
disruptive change the checks that stand between two clusters of a rollout are asked once more.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import partial

from mesh.engine import gate
from mesh.engine.outcome import Outcome, guarded
from mesh.engine.run import Run
from mesh.engine.session import Planned, Session
from mesh.model import NO_CLUSTER, Action, Key, Step
from mesh.model.graph import Edges, with_users
from mesh.planner.confirmation import to_confirm
from mesh.planner.rollout import GATED, gate_of
from mesh.sdk import ask
from mesh.walk import once

CHECKS = Step(Action.READ, Key("checks", NO_CLUSTER, "mid"))
"""What the person who watches sees: a wait like any other. It is not a step of the plan."""


def verify(session: Session, planned: Planned, run: Run) -> None:
    """Wait until the checks of what was changed pass; add what they say otherwise to the outcomes."""
    # After a failure the checks would only repeat it. A cluster that left the mesh has nothing to pass.
    changed = disrupted(run)
    names = {key.cluster for key in changed}
    clusters = tuple(each.name for each in session.mesh.clusters if each.name in names)
    went_well = all(each.good for each in run.progress.outcomes.values())
    if clusters and went_well and _is_gated(session, planned) and not run.options.stopping():
        dependents = users(changed, planned.inputs.edges, planned.decisions.unchanged)
        run.options.hooks.started(CHECKS)
        passed = partial(
            _passed,
            run,
            clusters,
            frozenset(planned.decisions.deferred) | planned.decisions.aside,
            dependents,
            session.mesh.rollout.settle,
        )
        outcome = once(lambda: guarded(passed), run.tick)
        run.progress.outcomes[CHECKS.key] = outcome
        run.options.hooks.finished(CHECKS, outcome)


def disrupted(run: Run) -> frozenset[Key]:
    """Return what a run updated, replaced or deleted that carries traffic."""
    return frozenset(
        key
        for key, task in run.tasks.items()
        if task.step.action in GATED and ask.disrupts(task.kind, key) and key in run.progress.outcomes
    )


def users(changed: Collection[Key], edges: Edges, unchanged: Collection[Key]) -> frozenset[Key]:
    """Return the unchanged resources that depend on a changed one, directly or not."""
    return frozenset(with_users(changed, edges) & set(unchanged))


def _is_gated(session: Session, planned: Planned) -> bool:
    moved = to_confirm(planned.plan.steps, session.kinds)
    return gate_of(session.mesh.rollout, moved, destroy=planned.inputs.options.destroy).gate == "check"


def _passed(
    run: Run, clusters: tuple[str, ...], pending: frozenset[Key], dependents: frozenset[Key], settle: float
) -> Outcome:
    stopped = gate.passed(
        clusters,
        lambda names: run.options.checks(names, pending, dependents),
        run.worker.waiter,
        about=str(CHECKS.key),
        settle=settle,
        consequence="though every step is done",
    )
    return Outcome(stopped=stopped)
