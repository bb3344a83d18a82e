"""The straight line: load → decode → expand → graph → observe → diff → plan → apply → record.

One function per verb; nothing else composes stages.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import uuid4

from mesh import safety, slices
from mesh.apply import Outcome, Run, Watch
from mesh.as_recorded import refuse_as_recorded, warning
from mesh.distribution import remarks
from mesh.downgrade import allowed, backwards
from mesh.errors import PartialError, RefusedError
from mesh.expand import expand
from mesh.gate import Ask, nobody
from mesh.graph import edges, ordered
from mesh.lease import Held, Leases
from mesh.leftovers import with_ours
from mesh.lock import Identity, Lock, newer
from mesh.memory import Task, adopted
from mesh.model import NO_CLUSTER, Action, Key, Live, Plan, Resource, Sensitive, Step
from mesh.observe import Observation, observe
from mesh.ownership import check_file, check_taken, check_words, kept
from mesh.past import past_run
from mesh.plan import Draft, Known, confirmation, decide, in_order, places, plan_digest, to_confirm
from mesh.preview import preview
from mesh.provider import Registry
from mesh.record import Ledger, is_settled
from mesh.reissue import asked_for, disclosed, reissued
from mesh.removal import decide_unwanted
from mesh.rollout import CHANGES, GATED, cluster_by_cluster, gate_of, waves
from mesh.spec import ExistingCA, Mesh
from mesh.state import Journal, Store
from mesh.switch import automatic_first, gap, gap_back, heirs, manual_first, without_distributed
from mesh.walk import walk
from mesh.world import World

DEFAULT_TIMEOUT = 300.0
DEFAULT_PARALLELISM = 10


@dataclass(frozen=True, slots=True)
class Desk:
    """What every verb works with: the desired state, the world, the kinds, the state files."""

    mesh: Mesh
    world: World
    kinds: Registry
    store: Store
    licence: Sensitive | None = None


@dataclass(frozen=True, slots=True)
class Decided:
    """What is wanted, there and recorded, and what follows for each resource by itself."""

    known: Known
    draft: Draft
    seen: Observation
    recorded: Lock
    held: Mapping[str, Lock | None]


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan and all it was decided upon, which apply needs and nobody else."""

    plan: Plan
    known: Known
    draft: Draft
    observation: Observation
    lock: Lock
    held: Mapping[str, Lock | None] = field(default_factory=dict)
    """The slice of each cluster that answered."""


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
    return _plan(desk, allowed(resources) if downgrade else resources, taken=taken, left=left)


def plan_destroy(
    desk: Desk, *, ignore_enrolled: bool = False, crds: bool = False, include_adopted: bool = False
) -> Planned:
    """Plan the removal of everything that we made; refuse while the mesh is in use.

    What was adopted is given back, unless it is included.
    """
    removable = frozenset({"crds"} if crds else ())
    planned = _plan(desk, {}, removable=removable, adopted_too=include_adopted)
    refuse_as_recorded(planned.plan)
    if not ignore_enrolled:
        safety.refuse_enrolled(planned.observation.snapshots, planned.known.lock)
    return planned


def decided(desk: Desk) -> Decided:
    """Read and decide as a plan does, and stop there: nobody is asked about a write, nothing is refused."""
    return _decided(desk, expand(desk.mesh, desk.licence))


def _plan(
    desk: Desk,
    resources: Mapping[Key, Resource[Any]],
    *,
    taken: frozenset[Key] = frozenset(),
    left: frozenset[Key] = frozenset(),
    removable: frozenset[str] = frozenset(),
    adopted_too: bool = False,
) -> Planned:
    here = _decided(desk, resources, taken=taken, left=left, removable=removable, adopted_too=adopted_too)
    known, draft = here.known, here.draft
    check_taken(taken, resources.keys() | known.lock.entries.keys())
    _keep(draft.steps, known, desk, removable)
    draft.steps = backwards(draft.steps, (cluster.name for cluster in desk.mesh.clusters))
    draft.steps = _rolled_out(desk, draft.steps, goes=not resources)
    if resources:
        draft.steps = (
            manual_first(draft.steps)
            if desk.mesh.automatic
            else automatic_first(draft.steps, here.seen.found)
        )
    if resources and isinstance(desk.mesh.root.ca, ExistingCA):
        safety.refuse_several_roots(known)
    preview(draft, known, desk.kinds, desk.world, heirs(draft.steps))
    safety.refuse_all(draft.refusals)
    plan = _assemble(desk, known, draft, here.seen, here.recorded)
    return Planned(plan, known, draft, here.seen, known.lock, here.held)


def _rolled_out(desk: Desk, steps: Mapping[Key, Step], *, goes: bool) -> dict[Key, Step]:
    """The steps, cluster by cluster; a mesh that goes is deleted everywhere at once."""
    groups = waves(
        (cluster.name for cluster in desk.mesh.clusters), desk.mesh.rollout, {key.cluster for key in steps}
    )
    rollout = gate_of(desk.mesh.rollout, to_confirm(tuple(steps.values()), desk.kinds), goes=goes)
    return cluster_by_cluster(steps, desk.kinds, groups, rollout, CHANGES if goes else GATED)


def _decided(
    desk: Desk,
    resources: Mapping[Key, Resource[Any]],
    *,
    taken: frozenset[Key] = frozenset(),
    left: frozenset[Key] = frozenset(),
    removable: frozenset[str] = frozenset(),
    adopted_too: bool = False,
) -> Decided:
    graph = edges(resources.values())
    order = ordered(graph)
    recorded = desk.store.read(desk.mesh.name)
    seen = _observe(desk, resources, recorded)
    namespaces = {name: who.namespace for name, who in recorded.clusters.items()}
    namespaces |= {cluster.name: cluster.namespace for cluster in desk.mesh.clusters}
    held = slices.read(desk.mesh.name, namespaces, seen.snapshots)
    lock = newer(recorded, {name: each for name, each in held.items() if each})
    safety.check_identities(safety.identities(desk.mesh, seen.uids), lock.clusters)
    if "crds" in removable:
        lock = with_ours(lock, desk.kinds["crds"], seen.snapshots)
    if lock.entries != recorded.entries:
        seen = _observe(desk, resources, lock, seen)
    now = desk.world.clock.now()
    found = without_distributed(seen.found, resources, lock)
    known = Known(resources, graph, order, found, lock, now, taken, left | desk.mesh.leave.keys())
    draft = decide(known, desk.kinds)
    decide_unwanted(known, desk.kinds, draft, adopted_too=adopted_too)
    return Decided(known, draft, seen, recorded, held)


def _observe(
    desk: Desk, resources: Mapping[Key, Resource[Any]], lock: Lock, before: Observation | None = None
) -> Observation:
    last = {key: entry.last for key, entry in lock.entries.items()}
    clusters = tuple(cluster.name for cluster in desk.mesh.clusters)
    return observe(
        places(resources, lock), clusters, last, desk.kinds, desk.world, before.snapshots if before else {}
    )


def _assemble(desk: Desk, known: Known, draft: Draft, seen: Observation, recorded: Lock) -> Plan:
    anew = reissued(known, draft, desk.kinds)
    steps = disclosed(in_order(draft.steps, known.order), anew)
    moved = to_confirm(steps, desk.kinds)
    left = tuple(draft.left[key] for key in sorted(draft.left))
    return Plan(
        mesh=desk.mesh.name,
        steps=steps,
        serial=known.lock.serial,
        lineage=known.lock.lineage,
        clusters={name: seen.uids.get(name, "") for name in sorted(seen.snapshots) if name != NO_CLUSTER},
        deferred=tuple(draft.deferred[key] for key in sorted(draft.deferred)),
        unchanged=len(draft.unchanged),
        warnings=(
            *_warnings(desk, draft, known, recorded, seen),
            *(gap(draft.steps) if known.resources and desk.mesh.automatic else gap_back(draft.steps)),
            *confirmation(moved),
            *asked_for(anew),
        ),
        digest=plan_digest(steps, left),
        confirm=tuple(dict.fromkeys((*moved, *(key.cluster for key in anew)))),
        left=left,
        recorded=tuple(sorted(draft.recorded)),
    )


def _warnings(desk: Desk, draft: Draft, known: Known, recorded: Lock, seen: Observation) -> list[str]:
    lock = known.lock
    told = {each.why for each in draft.deferred.values()}
    said = [
        f"cluster {name} did not answer: {'all of it is deferred' if why in told else why}"
        for name, why in sorted(seen.unreachable.items())
    ]
    said += warning(tuple(sorted(draft.recorded)))
    said += remarks(desk.mesh)
    said += kept(known.found, known.left, draft.left)
    if lock.serial > recorded.serial:
        said.append(
            f"{desk.store.path.name} is at serial {recorded.serial}, the clusters are at {lock.serial}: "
            "their state is used; `mesh state rebuild` writes it to the file"
        )
    return said


def _keep(steps: dict[Key, Step], known: Known, desk: Desk, removable: frozenset[str]) -> None:
    """Turn the deletion of what a kind keeps into forgetting it, with the reason why."""
    for key, step in steps.items():
        if step.action is Action.DELETE and key.kind not in removable:
            place = known.lock.entries[key].last.place
            if why := desk.kinds[key.kind].keeps(place, desk.world):
                steps[key] = replace(step, action=Action.FORGET, fields=(), why=why)


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
    now = safety.identities(desk.mesh, planned.observation.uids)
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


def outputs(planned: Planned) -> Mapping[Key, Mapping[str, Any]]:
    """Return the outputs of everything that was found."""
    return {key: live.outputs for key, live in planned.known.found.items() if isinstance(live, Live)}
