"""One apply or destroy under way: intent before each step, result after it; in the caller's thread."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from uuid import uuid4

from mesh.engine.fingerprints import unstored
from mesh.engine.outcome import Outcome, guarded
from mesh.engine.progress import Progress
from mesh.engine.recorder import Recorder
from mesh.engine.remember import entry_after, underway
from mesh.engine.result import RunResult, end_of
from mesh.engine.run_options import RunOptions
from mesh.engine.run_record import history_entry
from mesh.engine.session import Planned, Session
from mesh.engine.task import Task
from mesh.engine.waiter import Waiter
from mesh.engine.worker import Worker
from mesh.errors import LockedError
from mesh.model import Key
from mesh.state.held_leases import HeldLeases
from mesh.state.identity import identities
from mesh.state.journal import Journal
from mesh.state.lockfile import ClusterIdentity, Entry, State
from mesh.state.publish import Publisher
from mesh.state.restored import without_removed
from mesh.walk import walk


@dataclass(slots=True)
class Run:
    """The visitor that `mesh.walk` drives. `work` runs on a worker's thread, everything else in the caller's.

    So state, journal and terminal have a single writer, and need no lock.
    """

    planned: Planned
    tasks: Mapping[Key, Task]
    options: RunOptions
    held: HeldLeases
    recorder: Recorder
    progress: Progress
    worker: Worker
    warnings: list[str] = field(default_factory=list)
    because: dict[Key, Key] = field(default_factory=dict)
    """The failed step for whose sake a step was skipped."""

    @classmethod
    @contextmanager
    def open(
        cls, session: Session, planned: Planned, tasks: Mapping[Key, Task], state: State, options: RunOptions
    ) -> Iterator[Run]:
        """Take the leases, refuse a stale plan, and begin to record; raise before anything is written."""
        # The clusters' copies of the state are read again under the leases: from here on no other run writes
        # them, so what was planned upon stays true until this run ends.
        new = replace(
            state,
            serial=state.serial + 1,
            run=str(uuid4()),
            clusters=_clusters(session, planned, state),
        )
        keys = unstored(planned.plan.steps, planned.inputs.found, planned.observation.snapshots)
        publisher = Publisher(session.store, session.world, planned.observation.answered, keys)
        uids = {name: new.clusters[name].uid for name in publisher.answered & new.clusters.keys()}
        leases = options.leases
        with leases.hold(new.run, uids) if leases else nullcontext(HeldLeases()) as held:
            publisher = replace(publisher, answered=publisher.answered - held.denied.keys())
            publisher.refuse_stale(replace(planned.state, clusters=new.clusters), planned.held.keys())
            progress = Progress(planned.inputs.found, new)
            waiter = Waiter(session.world, options.timeout, options.stopping)
            left = frozenset(planned.decisions.left)
            aside = planned.decisions.aside
            worker = Worker(session.world, tasks, progress, waiter, options.checks, left, aside)
            recorder = Recorder(session.store, Journal(session.store.journal_path), publisher)
            recorder.begin(new, planned.state.serial)
            yield cls(planned, tasks, options, held, recorder, progress, worker)

    def walk(self) -> frozenset[Key]:
        """Carry out every step after those it needs; return those never begun, since the run was stopped."""
        needs = {key: task.step.needs for key, task in self.tasks.items()}
        return walk(needs, self, workers=self.options.parallelism, stopping=self.options.stopping)

    def before(self, key: Key) -> None:
        """Put the intent on disk."""
        task = self.tasks[key]
        self.recorder.intent(task, underway(task, self.progress))
        self.options.hooks.started(task.step)

    def work(self, key: Key) -> Outcome:
        """Carry the step out, on a worker's thread."""
        # A lost lease is looked at once, before the step: a step that has begun is finished, since to break
        # off halfway would leave the cluster in a state that no plan describes.
        if why := self.held.lost(key.cluster):
            hint = "run the same command again: another run may be at work, or the API server fails"
            return Outcome(error=LockedError(why, hint=hint))
        return guarded(lambda: self.worker.carry_out(self.tasks[key]))

    def after(self, key: Key, result: Outcome) -> bool:
        """Record the result."""
        task, progress = self.tasks[key], self.progress
        progress.outcomes[key] = result
        progress.state = progress.state.with_entry(key, self._entry(task, result))
        self.recorder.result(progress.state, task)
        self.options.hooks.finished(task.step, result)
        if result.good and (warning := self.recorder.share_early(progress.state, task)):
            self.warnings.append(warning)
        return result.good

    def skipped(self, key: Key, because: Key) -> None:
        """Remember why a step was not begun."""
        self.because[key] = because
        self.options.hooks.skipped(self.tasks[key].step, because)

    def tick(self) -> None:
        """Renew the leases, and let the hooks run."""
        self.held.beat()
        self.options.hooks.tick()

    def close(self, unstarted: frozenset[Key]) -> RunResult:
        """Record the end of the run, everywhere, and return its result."""
        options, progress, plan = self.options, self.progress, self.planned.plan
        end = end_of(plan, progress.outcomes, stopped=options.stopping() or bool(unstarted))
        past = None
        if options.leases:
            now, by = self.worker.world.clock.now(), options.leases.holder
            past = history_entry(plan, progress.outcomes, progress.state, by, now, end)
        found = self.planned.inputs.found
        said = self.recorder.close(without_removed(progress.state, found, among=found), past)
        return RunResult(
            self.planned,
            progress.outcomes,
            self.because,
            unstarted,
            (*self.warnings, *said),
            end,
        )

    def _entry(self, task: Task, result: Outcome) -> Entry | None:
        key = task.step.key
        if key in self.worker.left:
            return None  # it is another owner's, and not recorded
        return entry_after(task, result, self.progress)


def _clusters(session: Session, planned: Planned, state: State) -> dict[str, ClusterIdentity]:
    """Return the identities to record: those that answered now over those known before.

    A destroy also records the clusters that it could not read, without a uid: what mesh has in them is found
    by the next one, also if the lockfile was lost and they have left the mesh file.
    """
    now = identities(session.mesh, planned.observation.uids)
    unread = planned.plan.unread.keys() & now.keys() if planned.plan.destroying else ()
    kept = {name: now[name] for name in unread if name not in state.clusters}
    return {**kept, **state.clusters, **{name: who for name, who in now.items() if who.uid}}
