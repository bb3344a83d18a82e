"""After the last step of a run: whether what was changed, and what uses it, still works.

A step ends when its own thing is ready, which says nothing of the links that rest on it. So when something
disruptive was done, the checks that stand between two clusters of a rollout are asked once more.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from mesh.engine import gate
from mesh.engine.run import Outcome, Run, guarded
from mesh.engine.session import Planned, Session
from mesh.model import NO_CLUSTER, Action, Key, Step
from mesh.model.graph import Edges, with_users
from mesh.planner.confirmation import to_confirm
from mesh.planner.rollout import GATED, gate_of
from mesh.sdk import ask
from mesh.walk import walk

ASKED = Key("checks", NO_CLUSTER, "mid")
"""What a run calls the checks after its last step; no address of a resource."""

LOOKS = 4
"""How often in a row the checks must pass: an istiod that has just begun has judged no peer yet."""


def disrupted(run: Run) -> frozenset[Key]:
    """What a run updated, replaced or deleted that carries traffic."""
    return frozenset(
        key
        for key, task in run.tasks.items()
        if task.step.action in GATED and ask.disrupts(task.kind, key) and key in run.outcomes
    )


def users(changed: Collection[Key], edges: Edges, unchanged: Collection[Key]) -> frozenset[Key]:
    """Of what worked before and was not touched, all that needs what was changed, at whatever remove."""
    return frozenset(with_users(changed, edges) & set(unchanged))


def look_back(session: Session, planned: Planned, run: Run) -> None:
    """Wait until the checks of what was changed pass; note in the run's outcomes what they say otherwise.

    A cluster that left the mesh has nothing to pass.
    """
    went_well = not any(each.error or each.stopped for each in run.outcomes.values())
    changed = disrupted(run)
    names = {key.cluster for key in changed}
    where = tuple(each.name for each in session.mesh.clusters if each.name in names)
    if where and went_well and _is_gated(session, planned) and not run.stopping():
        decisions = planned.decisions
        resting = users(changed, planned.inputs.edges, decisions.unchanged)
        asking = _Asking(run, where, frozenset(decisions.deferred), resting)
        walk({ASKED: ()}, asking, workers=1, stopping=run.stopping)


def _is_gated(session: Session, planned: Planned) -> bool:
    moved = to_confirm(planned.plan.steps, session.kinds)
    return gate_of(session.mesh.rollout, moved, destroy=planned.inputs.options.destroy).gate == "check"


@dataclass(frozen=True, slots=True)
class _Asking:
    """The one visit; told to who watches the run like a step that only waits."""

    run: Run
    clusters: tuple[str, ...]
    pending: frozenset[Key]
    users: frozenset[Key]

    @property
    def step(self) -> Step:
        return Step(Action.READ, ASKED)

    def before(self, _key: Key) -> None:
        self.run.watch.started(self.step)

    def work(self, _key: Key) -> Outcome:
        return guarded(lambda: Outcome(stopped=self._passed()))

    def after(self, key: Key, result: Outcome) -> bool:
        self.run.outcomes[key] = result
        self.run.watch.finished(self.step, result)
        return True

    def skipped(self, _key: Key, _because: Key) -> None:
        raise AssertionError("it needs nothing that could fail")

    def tick(self) -> None:
        self.run.tick()

    def _passed(self) -> str:
        return gate.passed(
            self.clusters,
            lambda clusters: self.run.ask(clusters, self.pending, self.users),
            self.run.world,
            about=str(ASKED),
            timeout=self.run.timeout,
            stopping=self.run.stopping,
            looks=LOOKS,
            so="though every step is done",
        )
