"""Run the steps of a plan: check, act, wait until ready, record; each may be repeated.

Workers act and wait; the caller's thread writes journal and lock before and after every step.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from mesh.engine import gate
from mesh.engine.remember import after_failure, remember
from mesh.engine.task import Task, check_same
from mesh.errors import KubeError, LockedError, MeshError, RefusedError, StalePlanError
from mesh.model import READY, Action, Found, Key, Live, Place, Step, Unknown, Unread, Verdict
from mesh.model.refs import Ref, bind, pick, unknowns_in
from mesh.planner.step import step_for
from mesh.sdk import ask
from mesh.sdk.contract import OPEN, Last, Provider, Registry
from mesh.state.journal import Journal
from mesh.state.lease import HeldLeases
from mesh.state.lockfile import Entry, State
from mesh.state.publish import Ledger, home
from mesh.state.store import Store
from mesh.world import Snapshot, World

POLL_SECONDS = (0.1, 0.2, 0.3, 0.5, 0.8, 1.2, 2.0)
"""Pauses between two looks at something that is not ready; the last repeats."""

NOT_BEGUN = "it was not begun"
"""What becomes of a cluster whose turn had not come when the run was asked to stop."""

GOING_SECONDS = (*POLL_SECONDS, *[2.0] * 18)
"""Pauses before something is deleted while other things go by themselves: 40 s in all."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a step: `live` afterwards (None: gone), remarks, or the error.

    `stopped` is why it was left before it was ready, when the run was asked to stop.
    """

    live: Live | None = None
    remarks: tuple[str, ...] = ()
    error: MeshError | None = None
    stopped: str = ""


def guarded(work: Callable[[], Outcome]) -> Outcome:
    """Carry something out; what it raises is its outcome."""
    try:
        return work()
    except MeshError as error:
        return Outcome(error=error)
    except Exception as error:  # noqa: BLE001  # a fault of ours must not take the others' record with it
        return Outcome(error=MeshError(f"this is a fault of mesh: {type(error).__name__}: {error}"))


def done(step: Step, outcome: Outcome) -> Action:
    """What a step did in the end: a deletion that left the thing, and says why, only forgot it."""
    is_left = step.action is Action.DELETE and bool(outcome.remarks)
    return Action.FORGET if is_left else step.action


def _works(kind: Provider[Any], live: Live | None) -> tuple[bool, str]:
    """Whether what was given back works; one that its owner removed meanwhile has nothing to wait for."""
    ready = ask.works(kind, live) if live else READY
    return bool(ready), ready.why


@dataclass(slots=True)
class Watch:
    """What a run tells the person who watches; every method may be called from the caller's thread only."""

    started: Callable[[Step], None] = lambda _step: None
    finished: Callable[[Step, Outcome], None] = lambda _step, _outcome: None
    skipped: Callable[[Step, Key], None] = lambda _step, _because: None
    tick: Callable[[], None] = lambda: None


@dataclass(slots=True)
class Run:
    """One apply or destroy under way; the `Visitor` that `mesh.walk` drives."""

    tasks: Mapping[Key, Task]
    found: Mapping[Key, Found]
    state: State
    world: World
    kinds: Registry
    store: Store
    journal: Journal
    timeout: float
    stopping: Callable[[], bool]
    watch: Watch
    ledger: Ledger
    held: HeldLeases
    ask: gate.Ask = gate.nobody
    left: frozenset[Key] = frozenset()
    warnings: list[str] = field(default_factory=list)
    outcomes: dict[Key, Outcome] = field(default_factory=dict)
    because: dict[Key, Key] = field(default_factory=dict)

    def before(self, key: Key) -> None:
        """Put the intent on disk."""
        task = self.tasks[key]
        if task.step.action is not Action.READ:
            self.journal.intent(key, task.step.action, task.place, task.needs)
        self.watch.started(task.step)

    def work(self, key: Key) -> Outcome:
        """Carry the step out; on a worker's thread."""
        if why := self.held.lost(key.cluster):
            return Outcome(error=LockedError(why, hint="run `mesh plan`: somebody else may be at work"))
        return guarded(lambda: self._carry_out(self.tasks[key]))

    def after(self, key: Key, result: Outcome) -> bool:
        """Record the result: first the lockfile, then the journal."""
        self.outcomes[key] = result
        task = self.tasks[key]
        self.state = self.state.with_entry(key, self._entry(task, result))
        self.store.write(self.state)
        if task.step.action is not Action.READ:
            self.journal.done(key)
        self.watch.finished(task.step, result)
        is_good = result.error is None and not result.stopped
        if is_good and task.resource and home(self.state, key):
            self.warnings += filter(None, [self.ledger.share(self.state, key.cluster)])
        return is_good

    def skipped(self, key: Key, because: Key) -> None:
        """Remember why a step was not begun."""
        self.because[key] = because
        self.watch.skipped(self.tasks[key].step, because)

    def tick(self) -> None:
        """Stay known as the one at work, and let the watcher speak."""
        self.held.beat()
        self.watch.tick()

    def _carry_out(self, task: Task) -> Outcome:
        if stopped := self._between(task.step):
            return Outcome(stopped=stopped)
        match task.step.action:
            case Action.FORGET:
                return Outcome(remarks=(task.step.why,) if task.step.why else ())
            case Action.DELETE:
                return self._delete(task, self._idle(task))
            case _:
                return self._converge(task, self._idle(task))

    def _between(self, step: Step) -> str:
        """Wait before the first change of a cluster; why it is not begun if the run is to stop."""
        if step.pause:
            self.world.say(str(step.key), f"pausing {step.pause:.0f}s between clusters")
            self.world.clock.sleep(step.pause)
        wrong = self._gate(step) if step.gate and not self.stopping() else ""
        is_left = (step.pause or step.gate) and self.stopping()
        return wrong or (NOT_BEGUN if is_left else "")

    def _gate(self, step: Step) -> str:
        return gate.passed(
            step.gate,
            lambda clusters: self.ask(clusters, self._pending(), frozenset()),
            self.world,
            about=str(step.key),
            timeout=self.timeout,
            stopping=self.stopping,
        )

    def _pending(self) -> frozenset[Key]:
        """What the run is yet to mend; as any worker sees it, so what is done this moment may be missing."""
        done = self.outcomes.copy()
        return gate.to_come({key: task.step for key, task in self.tasks.items() if key not in done})

    def _idle(self, task: Task) -> Live | None:
        """Let whoever of ours is still at work end, then read."""
        key, place = task.step.key, self._where(task)

        def idle(_live: Live | None) -> tuple[bool, str]:
            why = ask.busy(task.kind, key, place, self.world)
            return not why, why

        if idle(None)[0]:
            return self._look(task)
        if stopped := self._until(task, idle).stopped:
            raise MeshError(stopped, hint="run apply again when it has ended")
        return self._look(task)

    def _where(self, task: Task) -> Place:
        """Where it is: what was found by something else than its name has a place of its own."""
        found = self.found.get(task.step.key)
        return found.place if isinstance(found, Live) and found.place else task.place

    def _look(self, task: Task) -> Live | None:
        """Read one resource anew."""
        key = task.step.key
        last = {k: entry.last for k, entry in self.state.entries.items()}
        snapshot = Snapshot(key.cluster, self.world, last=last)
        found = task.kind.observe({key: task.place}, snapshot).get(key)
        if isinstance(found, Unread):
            raise KubeError(found.why)
        return found

    def _delete(self, task: Task, found: Live | None) -> Outcome:
        key = task.step.key
        last = self.state.last(key)
        if found is None or last is None:
            return Outcome()
        if task.step.expects and found.uid != task.step.expects.partition(":")[0]:
            raise StalePlanError(f"{key} is another object than the plan saw", hint="plan again")
        self._let_go(task)
        remarks = task.kind.delete(key, task.place, found, last, self.world)
        if remarks:
            return Outcome(remarks=remarks)
        # Others may make one of the same name at once: what was seen is gone then, too.
        return self._until(
            task,
            lambda live: (live is None or live.uid != found.uid, ask.lingers(task.kind, key, live or found)),
        )

    def _let_go(self, task: Task) -> None:
        """Give what goes by itself some time; it may be stuck, which is no reason to keep the rest."""
        for seconds in GOING_SECONDS:
            why = ask.going(task.kind, task.step.key, task.place, self.world)
            if not why or self.stopping():
                return
            self.world.say(str(task.step.key), why)
            self.world.clock.sleep(seconds)

    def _give_back(self, task: Task, found: Live | None) -> Outcome:
        """Take out what is ours, and wait until what is left works: it may be in use."""
        key = task.step.key
        last = self.state.last(key)
        if found is None or last is None:
            return Outcome(remarks=(task.step.why,))
        ask.give_back(task.kind, key, found, last, self.world)
        ended = self._until(task, lambda live: _works(task.kind, live))
        return replace(ended, remarks=(task.step.why,))

    def _converge(self, task: Task, found: Live | None) -> Outcome:
        key, resource = task.step.key, task.resource
        if resource is None:
            return self._give_back(task, found)
        spec = bind(resource.spec, self._lookup)
        blank = next(unknowns_in(spec), None)
        if blank:
            raise MeshError(f"{key} needs a value of {blank.after}, which has none", hint="run `mesh plan`")
        last = self.state.last(key)
        now = step_for(task.kind, spec, key, found, last, self.world.clock.now())
        if now and now.action is not Action.READ and key not in self.left:
            check_same(task.step, now)
            if refusal := task.kind.refuse(spec, found, last):
                raise RefusedError(refusal)
            self._act(task, now, spec, found, last)
        if not task.kind.waits:
            return Outcome(self._look(task))
        return self._until(task, lambda live: self._is_ready(task.kind, key, spec, live))

    def _act(self, task: Task, step: Step, spec: Any, found: Live | None, last: Last | None) -> None:
        key = step.key
        if step.action is Action.REPLACE and found and last:
            task.kind.delete(key, task.place, found, last, self.world)
            self._until(task, lambda live: (live is None, "the old one is still being deleted"))
        if step.action is Action.UPDATE and found:
            task.kind.update(spec, key, found, last, self.world)
        else:
            task.kind.create(spec, key, self.world)

    def _is_ready(self, kind: Provider[Any], key: Key, spec: Any, live: Live | None) -> tuple[bool, str]:
        if live is None:
            return False, ask.awaited(kind, key) or "it is not there yet"
        ready = kind.ready(spec, live)
        if ready.verdict is Verdict.NEVER:
            raise MeshError(f"will not become ready: {ready.why}", hint="mend it, then run apply again")
        return bool(ready), ready.why

    def _until(self, task: Task, good: Callable[[Live | None], tuple[bool, str]]) -> Outcome:
        """Look again and again until it is good, the time is up, or the run is to stop."""
        clock = self.world.clock
        deadline = clock.monotonic() + self.timeout
        key, looks = task.step.key, 0
        while True:
            live = self._look(task)
            done, why = good(live)
            if done:
                return Outcome(live)
            if self.stopping():
                return Outcome(live, stopped=why)
            if clock.monotonic() >= deadline:
                raise MeshError(
                    f"not ready after {self.timeout:.0f}s: {why}",
                    hint="the next apply goes on waiting; --timeout sets how long",
                )
            self.world.say(str(key), why)
            clock.sleep(POLL_SECONDS[min(looks, len(POLL_SECONDS) - 1)])
            looks += 1

    def _lookup(self, ref: Ref) -> Any:
        outcome = self.outcomes.get(ref.key)
        live = outcome.live if outcome else self.found.get(ref.key)
        if isinstance(live, Live):
            return pick(live.outputs, ref)
        return Unknown(ref.key)

    def _entry(self, task: Task, result: Outcome) -> Entry | None:
        """What the lockfile is to say of a resource after its step."""
        key, step, resource = task.step.key, task.step, task.resource
        before = self.state.entries.get(key)
        if key in self.left:
            return None
        if resource is None:
            failed = result.error or result.stopped
            return replace(before, last=replace(before.last, status=OPEN)) if failed and before else None
        spec, found = bind(resource.spec, self._lookup), self.found.get(key)
        if result.error or result.live is None:
            return after_failure(task, spec, before, found)
        made = step.action in {Action.CREATE, Action.REPLACE}
        known = before.last if before and not made else None
        last = remember(task.kind, spec, task.place, result.live, known, made=made, found=found)
        return Entry(last, task.needs)
