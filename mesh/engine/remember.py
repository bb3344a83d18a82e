"""What the state holds of a resource after its step; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mesh.engine.outcome import Outcome
from mesh.engine.progress import Progress
from mesh.engine.task import Task
from mesh.model import Action, Attrs, Found, Key, Live, Place
from mesh.model.diff import fingerprints
from mesh.model.fingerprint import HIDDEN
from mesh.model.refs import bind, unknowns_in
from mesh.planner.decisions import Decisions
from mesh.planner.ownership import is_another, is_ours, was_made
from mesh.sdk import ask
from mesh.sdk.contract import OPEN, Last, Provider
from mesh.state.lockfile import Entry, State


def remember(
    kind: Provider[Any],
    spec: Any,
    place: Place,
    live: Live,
    before: Last | None,
    *,
    made: bool,
    found: Found = None,
) -> Last:
    """Return what the state holds of a resource in sync; `found` is what the plan saw of it.

    `created` is decided once, when mesh first touches it: it is what allows a destroy to delete it.
    """
    fields = _recorded(fingerprints(kind.wanted(spec, None, None)), before)
    created = before.created if before else made
    return Last(
        place=live.place or place,
        fields=fields,
        created=created,
        uid=live.uid,
        outputs=dict(live.outputs),
        status="ok",
        theirs=frozenset() if created else _theirs(fields, before, _seen(kind, spec, found)),
    )


def _recorded(fields: Mapping[str, str], before: Last | None) -> dict[str, str]:
    """Return the fields of an entry: what was hidden stays hidden, also when the file no longer hides it."""
    hidden = {path for path, digest in before.fields.items() if digest == HIDDEN} if before else set[str]()
    above = {path: next((each for each in hidden if _is_at(path, each)), "") for path in fields}
    return {above[path] or path: HIDDEN if above[path] else digest for path, digest in fields.items()}


def _seen(kind: Provider[Any], spec: Any, found: Found) -> Attrs:
    return ask.seen(kind, spec, found) if isinstance(found, Live) else {}


def _theirs(fields: Mapping[str, str], before: Last | None, seen: Attrs) -> frozenset[str]:
    """Return the paths that had a value before mesh first set them: a destroy leaves these."""
    there = fingerprints(seen).keys() if seen else frozenset()
    known = before.fields.keys() if before else frozenset()
    return frozenset(((before.theirs if before else frozenset()) | (there - known)) & fields.keys())


def entry_after(task: Task, result: Outcome, progress: Progress) -> Entry | None:
    """Return what the state holds of a resource after its step; None if it holds nothing any more.

    After a failure or a stop the entry is `open`: how far the step came, only the cluster knows.
    """
    key, resource, action = task.step.key, task.resource, task.step.action
    before = progress.state.entries.get(key)
    # A replacement deletes first: what is refused after that was not before the first write.
    if result.untouched and action is not Action.REPLACE:
        return before
    if resource is None:
        return None if result.good else underway(task, progress)
    if result.error or result.live is None:
        return underway(task, progress)
    spec, found = bind(resource.spec, progress.lookup), progress.found.get(key)
    made = action in {Action.CREATE, Action.REPLACE}
    known = before.last if before and not made else None
    last = remember(task.kind, spec, task.place, result.live, known, made=made, found=found)
    return Entry(last, task.needs)


def underway(task: Task, progress: Progress) -> Entry | None:
    """Return what the state holds of a resource while its step is under way, and after a failed one.

    It never claims that the step was done, nor that it was not: it names the fields that mesh set before,
    and those that the step sets. So a field that only the failed step wrote is still known as set by mesh,
    and removed when the file no longer has it.
    """
    key, action = task.step.key, task.step.action
    before = progress.state.entries.get(key)
    if action is Action.READ:
        return before
    if task.resource is None:
        return replace(before, last=replace(before.last, status=OPEN)) if before else None
    spec, found = bind(task.resource.spec, progress.lookup), progress.found.get(key)
    known = next(unknowns_in(spec), None) is None
    new = (
        _recorded(fingerprints(task.kind.wanted(spec, None, None)), before.last if before else None)
        if known
        else {}
    )
    made = action is Action.CREATE
    last = before.last if before else Last(task.place, created=made)
    created = made or last.created
    fields = {**last.fields, **new}
    return Entry(
        replace(
            last,
            fields=fields,
            created=created,
            uid=last.uid or _uid(found),
            theirs=frozenset()
            if created
            else _theirs(fields, before.last if before else None, _seen(task.kind, spec, found)),
            status=OPEN,
        ),
        before.needs | task.needs if before else task.needs,
    )


def _uid(found: Found) -> str:
    return found.uid if isinstance(found, Live) else ""


def adopted(
    decisions: Decisions, tasks: Mapping[Key, Task], found: Mapping[Key, Found], state: State
) -> State:
    """Return the state with what is in sync but not recorded: left by a run that died, or found.

    A run that died after the write and before the record is finished here, without a step. What is left to
    its owner is not recorded, or no longer.
    """
    for key in decisions.left.keys() & state.entries.keys():
        state = state.with_entry(key, None)
    for key in decisions.unchanged:
        live, task, last = found.get(key), tasks[key], state.last(key)
        if isinstance(live, Live) and task.resource and _is_news(task.kind, live, last, state.mesh):
            known = last if last and (not last.created or was_made(last, live, state.mesh)) else None
            made = is_ours(live, state.mesh)
            seen = remember(task.kind, decisions.specs[key], task.place, live, known, made=made, found=live)
            state = state.with_entry(key, Entry(seen, task.needs))
        elif (entry := state.entries.get(key)) and task.resource and entry.needs != task.needs:
            # Removals follow the needs in the state. If some were of an older file, they could form a cycle.
            state = state.with_entry(key, replace(entry, needs=task.needs))
        state = _without_digests(state, key, task, decisions.specs.get(key), live)
    return state


def _is_news(kind: Provider[Any], live: Live, last: Last | None, mesh: str) -> bool:
    """Return whether the state does not hold what is in sync, or holds another object of that name."""
    # A backup or a person may have made the very object again, with the mark of this mesh on it. Its uid is
    # what a later removal is proven by.
    if last is None or last.status != "ok" or last.told:
        return True
    return is_another(kind, live, last) and is_ours(live, mesh)


def _without_digests(state: State, key: Key, task: Task, spec: Any, live: Found) -> State:
    """Return the state without digests of hidden values in an entry: older versions recorded some."""
    entry = state.entries.get(key)
    if entry is None or task.resource is None or not isinstance(live, Live):
        return state
    before = entry.last.fields
    hidden = {
        path for path, each in fingerprints(task.kind.wanted(spec, None, None)).items() if each == HIDDEN
    }
    stale = {path for path in before if before[path] != HIDDEN and any(_is_at(path, each) for each in hidden)}
    if not stale:
        return state
    kept = {path: each for path, each in before.items() if path not in stale}
    now_hidden = {each: HIDDEN for each in hidden if any(_is_at(path, each) for path in stale)}
    last = replace(entry.last, fields={**kept, **now_hidden}, outputs=dict(live.outputs))
    return state.with_entry(key, replace(entry, last=last))


def _is_at(path: str, above: str) -> bool:
    """Return whether a dotted path is another one, or below it."""
    return f"{path}.".startswith(f"{above}.")
