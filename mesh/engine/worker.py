"""Carry one step out: check that it is still the planned one, act, wait until it is ready."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from mesh.engine import gate
from mesh.engine.outcome import Outcome
from mesh.engine.progress import Progress
from mesh.engine.task import Task, check_same
from mesh.engine.waiter import Waiter
from mesh.errors import KubeError, MeshError, RefusedError, StalePlanError
from mesh.model import READY, Action, Key, Live, Step, Unread, Verdict
from mesh.model.refs import bind, unknowns_in
from mesh.planner.ownership import few, unproven
from mesh.planner.step import step_for
from mesh.sdk import ask
from mesh.sdk.contract import Last, Provider
from mesh.sdk.recorded_snapshot import RecordedSnapshot
from mesh.world import World, trace

GOING = "the present one is still being deleted"

MADE_AGAIN = "it was gone; another program made it again since the plan, and it stays"

NOT_BEGUN = "it was not begun"
"""What becomes of a cluster whose turn had not come when the run was asked to stop."""


@dataclass(frozen=True, slots=True)
class Worker:
    """Acts on clusters, on any thread. It writes neither state nor journal: what it did, it returns."""

    world: World
    tasks: Mapping[Key, Task]
    progress: Progress
    waiter: Waiter
    checks: gate.MidFlightChecks = gate.no_checks
    left: frozenset[Key] = frozenset()
    """Resources that another owner keeps: they are waited for and never written."""
    aside: frozenset[Key] = frozenset()
    """Resources that are not in sync and not in this plan: the checks of a gate do not count them."""

    def carry_out(self, task: Task) -> Outcome:
        """Carry a step out; raise MeshError if it fails."""
        if stopped := self._before_cluster(task.step):
            return Outcome(stopped=stopped, begun=False)
        if task.step.action is Action.FORGET:
            return self._forget(task)
        live = self._when_idle(task)
        if task.step.action is Action.DELETE:
            return self._delete(task, live)
        return self._converge(task, live) if task.resource else self._give_back(task, live)

    def _before_cluster(self, step: Step) -> str:
        """Wait before the first change of a cluster; return why it is not begun if the run is to stop."""
        if step.pause:
            self.waiter.pause(str(step.key), step.pause)
        wrong = self._gate(step) if step.gate and not self.waiter.stopping() else ""
        is_left = (step.pause or step.gate) and self.waiter.stopping()
        return wrong or (NOT_BEGUN if is_left else "")

    def _gate(self, step: Step) -> str:
        return gate.passed(
            step.gate,
            lambda clusters: self.checks(clusters, self._pending(), frozenset()),
            self.waiter,
            about=str(step.key),
        )

    def _pending(self) -> frozenset[Key]:
        """Return what the run has yet to fix."""
        # The outcomes are copied first, since the caller's thread may add one at any moment. A step that ends
        # right then still counts as pending, which only excuses one finding until the next look.
        ended = self.progress.outcomes.copy()
        left = {key: task.step for key, task in self.tasks.items() if key not in ended}
        return gate.to_come(left) | self.aside

    def _when_idle(self, task: Task) -> Live | None:
        """Wait until no earlier process works on it and the old one is deleted, then read it."""
        # A helm that outlived a killed run would otherwise change the release after it was judged.
        key = task.step.key
        place = self.progress.place(key, task.place)

        def idle(_live: Live | None) -> tuple[bool, str]:
            why = ask.busy(task.kind, key, place, self.world)
            return not why, why

        if not idle(None)[0] and (stopped := self._until(task, idle).stopped):
            raise MeshError(stopped, hint="run apply again when it has ended")
        found = self._read(task)
        if not (found and found.going) or task.step.action is Action.DELETE:
            return found
        if task.step.action is not Action.CREATE:
            raise StalePlanError(f"{key} is being deleted since the plan was made", hint="plan again")
        ended = self._until(task, lambda live: (not (live and live.going), GOING))
        if ended.stopped:
            raise MeshError(ended.stopped, hint="run apply again when it is gone")
        return ended.live

    def _read(self, task: Task) -> Live | None:
        """Read one resource from the cluster, past everything that was read before."""
        key = task.step.key
        snapshot = RecordedSnapshot(key.cluster, self.world, last=self.progress.last())
        found = task.kind.observe({key: task.place}, snapshot).get(key)
        if isinstance(found, Unread):
            raise KubeError(found.why)
        return found

    def _until(self, task: Task, judge: Any) -> Outcome:
        return self.waiter.until(str(task.step.key), partial(self._read, task), judge)

    def _forget(self, task: Task) -> Outcome:
        """Leave a resource as it is; raise StalePlanError if it came back since the plan and is mesh's."""
        key, last = task.step.key, self.progress.state.last(task.step.key)
        was_gone = self.progress.found.get(key) is None and not ask.awaited(task.kind, key)
        live = self._read(task) if was_gone and last else None
        if last is None or live is None:
            return Outcome(remarks=(task.step.why,) if task.step.why else ())
        # Another run may have made it after this plan had looked and before the plan read the record: without
        # the record, no one would ever remove it.
        if not unproven(task.kind, key, live, last, self.progress.state.mesh):
            raise StalePlanError(f"{key} is there again since the plan was made", hint="plan again")
        return Outcome(remarks=(MADE_AGAIN,))

    def _delete(self, task: Task, found: Live | None) -> Outcome:
        key = task.step.key
        last = self.progress.state.last(key)
        if found is None or last is None:
            return Outcome()
        self._refuse_other(task, found, last)
        self.waiter.until_gone(str(key), lambda: ask.going(task.kind, key, task.place, self.world))
        if remarks := task.kind.delete(key, task.place, found, last, self.world):
            return Outcome(remarks=remarks)
        # Another owner may create one of the same name at once: a new uid means that the old one is gone.
        return self._until(
            task,
            lambda live: (live is None or live.uid != found.uid, ask.lingers(task.kind, key, live or found)),
        )

    def _refuse_other(self, task: Task, found: Live, last: Last) -> None:
        """Raise StalePlanError unless it is the object that the plan saw, and still proven to be mesh's."""
        key, expects = task.step.key, task.step.expects
        # The uid, not the whole token: a changed object of mesh is still mesh's to delete, another is not.
        if expects and found.uid != expects.partition(":")[0]:
            raise StalePlanError(f"{key} is another object than the plan saw", hint="plan again")
        # What another owner gave up to mesh by `--take` is proven by that: its owner must then be the same.
        seen = self.progress.found.get(key)
        is_same = isinstance(seen, Live) and seen.owner == found.owner
        if task.step.action is Action.REPLACE and is_same:
            return
        if why := unproven(task.kind, key, found, last, self.progress.state.mesh):
            raise StalePlanError(f"{key} is not touched: {why}", hint="plan again")

    def _give_back(self, task: Task, found: Live | None) -> Outcome:
        """Take out what mesh put in, and wait until what remains works: it may be in use."""
        last = self.progress.state.last(task.step.key)
        if found is None or last is None:
            return Outcome(remarks=(task.step.why,))
        self._refuse_other(task, found, last)
        if found.token != task.step.expects:
            raise StalePlanError(f"{task.step.key} changed since the plan was made", hint="plan again")
        ask.give_back(task.kind, task.step.key, found, last, self.world)
        ended = self._until(task, lambda live: _works(task.kind, live))
        return replace(ended, remarks=(task.step.why,))

    def _converge(self, task: Task, found: Live | None) -> Outcome:
        """Decide again from what is live now, act if the decision is the planned one, and wait."""
        # Planned and live may differ by now: a person, another controller, or an earlier attempt of this very
        # step may have written. So the step is decided a second time, by the same function as in the plan,
        # from an object read just now, with the values that earlier steps produced. `check_same` refuses what
        # the plan did not show. If nothing is left to do, nothing is written: a step may run twice.
        key = task.step.key
        spec = self._bound(task)
        last = self.progress.state.last(key)
        now = step_for(task.kind, spec, key, found, last, self.world.clock.now())
        trace.decided_again(key, now)
        if now and now.action is not Action.READ and key not in self.left:
            check_same(task.step, now)
            if refusal := task.kind.refuse(spec, found, last):
                raise RefusedError(refusal)
            self._act(task, now, spec, found, last)
        else:
            now = None
        ended = (
            self._until(task, partial(_is_ready, task.kind, key, spec))
            if task.kind.waits
            else Outcome(self._read(task))
        )
        return self._looked_at(ended, task, spec, found, now) if now else ended

    def _looked_at(self, ended: Outcome, task: Task, spec: Any, before: Live | None, wrote: Step) -> Outcome:
        """Compare what is live with what was written; raise MeshError if nothing has changed."""
        # A program may report success and do nothing: a wrapper of helm, a proxy, a webhook.
        # That what was there before is ready says nothing of the write.
        if ended.live is None or ended.stopped:
            return ended
        key, last = task.step.key, self.progress.state.last(task.step.key)
        left = step_for(task.kind, spec, key, ended.live, last, self.world.clock.now())
        wrong = {(each.path, repr(each.before)) for each in wrote.fields}
        same = [
            each.dotted for each in (left.fields if left else ()) if (each.path, repr(each.before)) in wrong
        ]
        if not same:
            return ended
        if before and before.token == ended.live.token:
            raise MeshError(
                f"the write was reported as done and changed nothing: {few(same)} differs as before",
                hint="look at what is between mesh and the API server (MESH_HELM, a proxy, an admission "
                "webhook), then run apply again",
            )
        return replace(ended, remarks=(*ended.remarks, f"{few(same)} differs again after the write"))

    def _bound(self, task: Task) -> Any:
        """Return the spec with its refs filled in; raise MeshError if a value is still missing."""
        assert task.resource is not None, "only what is wanted has a spec"
        spec = bind(task.resource.spec, self.progress.lookup)
        if blank := next(unknowns_in(spec), None):
            raise MeshError(
                f"{task.step.key} needs a value of {blank.after}, which has none", hint="run `mesh plan`"
            )
        return spec

    def _act(self, task: Task, step: Step, spec: Any, found: Live | None, last: Last | None) -> None:
        key = step.key
        if step.action is Action.REPLACE and found and last:
            self._refuse_other(task, found, last)
            task.kind.delete(key, task.place, found, last, self.world)
            self._until(task, lambda live: (live is None, "the old one is still being deleted"))
        if step.action is Action.UPDATE and found:
            task.kind.update(spec, key, found, last, self.world)
        else:
            task.kind.create(spec, key, self.world)


def _works(kind: Provider[Any], live: Live | None) -> tuple[bool, str]:
    """Judge what was given back; one that its owner removed meanwhile has nothing to wait for."""
    ready = ask.works(kind, live) if live else READY
    return bool(ready), ready.why


def _is_ready(kind: Provider[Any], key: Key, spec: Any, live: Live | None) -> tuple[bool, str]:
    if live is None:
        return False, ask.awaited(kind, key) or "it does not exist yet"
    ready = kind.ready(spec, live)
    if ready.verdict is Verdict.NEVER:
        raise MeshError(f"will not become ready: {ready.why}", hint="fix it, then run apply again")
    return bool(ready), ready.why
