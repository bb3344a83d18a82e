"""The straight line: load → decode → expand → graph → observe → diff → plan → apply → record.

One function per verb; nothing else composes stages.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from uuid import uuid4

from mesh.engine import plan as planning
from mesh.engine.gate import Ask, nobody
from mesh.engine.in_use import refuse_enrolled
from mesh.engine.post_run import look_back
from mesh.engine.remember import adopted
from mesh.engine.run import Outcome, Run, Watch
from mesh.engine.run_record import past_run
from mesh.engine.session import Decided, Planned, Session
from mesh.engine.task import Task
from mesh.errors import PartialError, RefusedError
from mesh.istio.addresses import CRDS
from mesh.model import Action, Key, Step
from mesh.planner.downgrade import allowed
from mesh.planner.expand import expand
from mesh.planner.from_record import refuse_as_recorded
from mesh.planner.inputs import PlanOptions, places
from mesh.planner.ownership import check_file, check_words
from mesh.state.identity import identities
from mesh.state.journal import Journal
from mesh.state.lease import HeldLeases, Leases
from mesh.state.lockfile import ClusterIdentity, State
from mesh.state.publish import Ledger, is_settled
from mesh.walk import walk

DEFAULT_TIMEOUT = 300.0
DEFAULT_PARALLELISM = 10


@dataclass(frozen=True, slots=True)
class RunResult:
    """What a run did: each step's outcome, what was skipped because of what, what was never begun.

    `warnings` are what went wrong without harm: a lease or a copy of the state that could not be written.
    """

    planned: Planned
    outcomes: Mapping[Key, Outcome] = field(default_factory=dict)
    because: Mapping[Key, Key] = field(default_factory=dict)
    unstarted: frozenset[Key] = frozenset()
    warnings: tuple[str, ...] = ()

    @property
    def failed(self) -> tuple[Key, ...]:
        """The steps that ended in an error."""
        return tuple(sorted(key for key, outcome in self.outcomes.items() if outcome.error))


def plan(
    session: Session,
    *,
    taken: frozenset[Key] = frozenset(),
    left: frozenset[Key] = frozenset(),
    downgrade: bool = False,
) -> Planned:
    """Plan the way from what is there to what the file says; back to an older version only if allowed.

    Of what others made, `taken` is taken over, and `left` stays with them, as what the file leaves.
    """
    resources = expand(session.mesh, session.licence, session.kinds)
    check_file(session.mesh.leave, resources)
    check_words(taken, left | session.mesh.leave.keys(), resources)
    options = PlanOptions(take=taken, leave=left)
    return planning.plan(session, allowed(resources) if downgrade else resources, options)


def plan_destroy(
    session: Session, *, ignore_enrolled: bool = False, crds: bool = False, include_adopted: bool = False
) -> Planned:
    """Plan the removal of everything that we made; refuse while the mesh is in use.

    What was adopted is given back, unless it is included.
    """
    removable = frozenset({CRDS} if crds else ())
    options = PlanOptions(destroy=True, removable=removable, include_adopted=include_adopted)
    planned = planning.plan(session, {}, options)
    refuse_as_recorded(planned.plan)
    if not ignore_enrolled:
        refuse_enrolled(planned.observation.snapshots, planned.inputs.state)
    return planned


def decided(session: Session) -> Decided:
    """Read and decide as a plan does, and stop there: nobody is asked about a write, nothing is refused."""
    resources = expand(session.mesh, session.licence, session.kinds)
    return planning.decided(session, resources, PlanOptions())


def apply(
    session: Session,
    planned: Planned,
    *,
    watch: Watch,
    stopping: Callable[[], bool],
    timeout: float = DEFAULT_TIMEOUT,
    parallelism: int = DEFAULT_PARALLELISM,
    journal: Journal | None = None,
    leases: Leases | None = None,
    ask: Ask = nobody,
) -> RunResult:
    """Carry a plan out and record it; the caller holds the store. Never raises for a failed step.

    `ask` says what keeps a rollout from going on to its next cluster.

    Raises LockedError and StalePlanError before anything is written.
    """
    tasks = _tasks(session, planned)
    state = adopted(planned.decisions, tasks, planned.inputs.found, planned.state)
    steps = {step.key: tasks[step.key] for step in planned.plan.steps}
    if not steps and is_settled(session.store, state, session.store.read(session.mesh.name), planned.held):
        return RunResult(planned)
    run_id = str(uuid4())
    clusters = _clusters(session, planned, state)
    ledger = Ledger(session.store, session.world, frozenset(planned.observation.uids))
    uids = {name: clusters[name].uid for name in ledger.answered & clusters.keys()}
    with leases.hold(run_id, uids) if leases else nullcontext(HeldLeases()) as held:
        ledger.refuse_stale(replace(planned.state, clusters=clusters))
        run = Run(
            tasks=steps,
            found=planned.inputs.found,
            state=replace(state, serial=state.serial + 1, run=run_id, clusters=clusters),
            world=session.world,
            kinds=session.kinds,
            store=session.store,
            journal=journal or Journal(session.store.journal_path),
            timeout=timeout,
            stopping=stopping,
            watch=watch,
            ledger=ledger,
            held=held,
            ask=ask,
            left=frozenset(planned.decisions.left),
        )
        session.store.backup(planned.state.serial)
        session.store.write(run.state)
        run.journal.begin(run_id, run.state.serial)
        needs = {key: task.step.needs for key, task in steps.items()}
        unstarted = walk(needs, run, workers=parallelism, stopping=stopping)
        look_back(session, planned, run)
        past = None
        if leases:
            now = session.world.clock.now()
            past = past_run(planned.plan, run.outcomes, run.state, leases.holder, now, unstarted=unstarted)
        said = ledger.close(run.state, run.journal, past)
    warnings = (*held.warnings, *run.warnings, *said)
    return RunResult(planned, run.outcomes, run.because, unstarted, warnings)


def _tasks(session: Session, planned: Planned) -> dict[Key, Task]:
    """One task per step, and one per unchanged resource (to be recorded, not run)."""
    known = planned.inputs
    tasks: dict[Key, Task] = {}
    steps = {step.key: step for step in planned.plan.steps}
    where = places(known.resources, planned.state)
    for key in [*planned.decisions.unchanged, *steps]:
        step = steps.get(key) or Step(Action.NOOP, key)
        needs = known.edges.get(key, frozenset())
        tasks[key] = Task(step, session.kinds[key.kind], where[key], known.resources.get(key), needs)
    return tasks


def _clusters(session: Session, planned: Planned, state: State) -> dict[str, ClusterIdentity]:
    """The identities to record: those that answered now over those known before."""
    now = identities(session.mesh, planned.observation.uids)
    return {**state.clusters, **{name: who for name, who in now.items() if who.uid}}


def check(result: RunResult) -> None:
    """Raise what a run must end with: PartialError if something failed or was deferred."""
    failed = result.failed
    deferred = result.planned.plan.deferred
    if not failed and not deferred:
        return
    first = result.outcomes[failed[0]].error if failed else None
    refused = [result.outcomes[key].error for key in failed]
    if failed and all(isinstance(error, RefusedError) for error in refused) and not deferred:
        raise RefusedError(str(first), hint=first.hint if first else "")
    parts = [f"{len(failed)} failed"] if failed else []
    parts += [f"{len(deferred)} deferred"] if deferred else []
    raise PartialError(", ".join(parts), hint="mend what is listed above, then run the same command again")
