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
from mesh.engine.session import Decided, Desk, Planned
from mesh.engine.task import Task
from mesh.errors import PartialError, RefusedError
from mesh.model import Action, Key, Step
from mesh.planner.decide import places
from mesh.planner.downgrade import allowed
from mesh.planner.expand import expand
from mesh.planner.from_record import refuse_as_recorded
from mesh.planner.ownership import check_file, check_words
from mesh.state.identity import identities
from mesh.state.journal import Journal
from mesh.state.lease import Held, Leases
from mesh.state.lockfile import Identity, Lock
from mesh.state.publish import Ledger, is_settled
from mesh.walk import walk

DEFAULT_TIMEOUT = 300.0
DEFAULT_PARALLELISM = 10


@dataclass(frozen=True, slots=True)
class Result:
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
    desk: Desk,
    *,
    taken: frozenset[Key] = frozenset(),
    left: frozenset[Key] = frozenset(),
    downgrade: bool = False,
) -> Planned:
    """Plan the way from what is there to what the file says; back to an older version only if allowed.

    Of what others made, `taken` is taken over, and `left` stays with them, as what the file leaves.
    """
    resources = expand(desk.mesh, desk.licence)
    check_file(desk.mesh.leave, resources)
    check_words(taken, left | desk.mesh.leave.keys(), resources)
    return planning.plan(desk, allowed(resources) if downgrade else resources, taken=taken, left=left)


def plan_destroy(
    desk: Desk, *, ignore_enrolled: bool = False, crds: bool = False, include_adopted: bool = False
) -> Planned:
    """Plan the removal of everything that we made; refuse while the mesh is in use.

    What was adopted is given back, unless it is included.
    """
    removable = frozenset({"crds"} if crds else ())
    planned = planning.plan(desk, {}, removable=removable, adopted_too=include_adopted)
    refuse_as_recorded(planned.plan)
    if not ignore_enrolled:
        refuse_enrolled(planned.observation.snapshots, planned.known.lock)
    return planned


def decided(desk: Desk) -> Decided:
    """Read and decide as a plan does, and stop there: nobody is asked about a write, nothing is refused."""
    return planning.decided(desk, expand(desk.mesh, desk.licence))


def apply(
    desk: Desk,
    planned: Planned,
    *,
    watch: Watch,
    stopping: Callable[[], bool],
    timeout: float = DEFAULT_TIMEOUT,
    parallelism: int = DEFAULT_PARALLELISM,
    journal: Journal | None = None,
    leases: Leases | None = None,
    ask: Ask = nobody,
) -> Result:
    """Carry a plan out and record it; the caller holds the store. Never raises for a failed step.

    `ask` says what keeps a rollout from going on to its next cluster.

    Raises LockedError and StalePlanError before anything is written.
    """
    tasks = _tasks(desk, planned)
    lock = adopted(planned.draft, tasks, planned.known.found, planned.lock)
    steps = {step.key: tasks[step.key] for step in planned.plan.steps}
    if not steps and is_settled(desk.store, lock, desk.store.read(desk.mesh.name), planned.held):
        return Result(planned)
    run_id = str(uuid4())
    clusters = _clusters(desk, planned, lock)
    ledger = Ledger(desk.store, desk.world, frozenset(planned.observation.uids))
    uids = {name: clusters[name].uid for name in ledger.answered & clusters.keys()}
    with leases.hold(run_id, uids) if leases else nullcontext(Held()) as held:
        ledger.refuse_stale(replace(planned.lock, clusters=clusters))
        run = Run(
            tasks=steps,
            found=planned.known.found,
            lock=replace(lock, serial=lock.serial + 1, run=run_id, clusters=clusters),
            world=desk.world,
            kinds=desk.kinds,
            store=desk.store,
            journal=journal or Journal(desk.store.journal_path),
            timeout=timeout,
            stopping=stopping,
            watch=watch,
            ledger=ledger,
            held=held,
            ask=ask,
            left=frozenset(planned.draft.left),
        )
        desk.store.backup(planned.lock.serial)
        desk.store.write(run.lock)
        run.journal.begin(run_id, run.lock.serial)
        needs = {key: task.step.needs for key, task in steps.items()}
        unstarted = walk(needs, run, workers=parallelism, stopping=stopping)
        look_back(desk, planned, run)
        past = None
        if leases:
            now = desk.world.clock.now()
            past = past_run(planned.plan, run.outcomes, run.lock, leases.holder, now, unstarted=unstarted)
        said = ledger.close(run.lock, run.journal, past)
    warnings = (*held.warnings, *run.warnings, *said)
    return Result(planned, run.outcomes, run.because, unstarted, warnings)


def _tasks(desk: Desk, planned: Planned) -> dict[Key, Task]:
    """One task per step, and one per unchanged resource (to be recorded, not run)."""
    known = planned.known
    tasks: dict[Key, Task] = {}
    steps = {step.key: step for step in planned.plan.steps}
    where = places(known.resources, planned.lock)
    for key in [*planned.draft.unchanged, *steps]:
        step = steps.get(key) or Step(Action.NOOP, key)
        needs = known.edges.get(key, frozenset())
        tasks[key] = Task(step, desk.kinds[key.kind], where[key], known.resources.get(key), needs)
    return tasks


def _clusters(desk: Desk, planned: Planned, lock: Lock) -> dict[str, Identity]:
    """The identities to record: those that answered now over those known before."""
    now = identities(desk.mesh, planned.observation.uids)
    return {**lock.clusters, **{name: who for name, who in now.items() if who.uid}}


def check(result: Result) -> None:
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
