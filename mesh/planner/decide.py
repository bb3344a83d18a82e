"""Decide each wanted resource from its spec, its live object and its state entry; pure.

A key is decided after all that it needs. That is why one pass is enough: when a ref is looked up, the
decision about the resource it names is final, so a value that a step may still change is `Unknown`, and
whatever needs something that could not be read is deferred.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mesh.istio.addresses import namespace_key
from mesh.model import Action, Key, Live, Reason, Resource, Step, Unknown, Unread, UnreadSecret
from mesh.model.refs import Lookup, Ref, bind, pick
from mesh.planner.decisions import (
    Decision,
    Decisions,
    Deferred,
    Do,
    LeftToOwner,
    Refused,
    Unchanged,
    is_deferred,
    next_step,
)
from mesh.planner.from_record import owned
from mesh.planner.inputs import Inputs
from mesh.planner.ownership import foreign, is_theirs, left, unproven, was_made, ways_out
from mesh.planner.step import step_as_recorded, step_for, waiting_for
from mesh.sdk import ask
from mesh.sdk.contract import Last, Provider, Registry
from mesh.world.guarded import not_understood

GOING = "the present one is being deleted; it is created again once that has ended"

UNDECIDED = frozenset({Action.CREATE, Action.REPLACE, Action.READ})
"""After these steps an output may have any value."""


def decide(inputs: Inputs, kinds: Registry) -> Decisions:
    """Return the decision about every wanted key."""
    made: dict[Key, Decision] = {}
    specs: dict[Key, Any] = {}
    look = _lookup(inputs, kinds, made)
    for key in inputs.order:
        specs[key] = bind(inputs.resources[key].spec, look)
        alone = _understood(inputs, kinds[key.kind], inputs.resources[key], specs[key])
        made[key] = _among_others(alone, inputs, made, key)
    return Decisions.of(made, specs, frozenset(key for key in made if _is_by_state(made[key], inputs, key)))


def _understood(inputs: Inputs, kind: Provider[Any], resource: Resource[Any], spec: Any) -> Decision:
    """Decide one resource; what was read of it and cannot be judged defers it, and hides no other."""
    try:
        return decide_alone(inputs, kind, resource, spec)
    except Exception as error:
        if not isinstance(inputs.found.get(resource.key), Live | UnreadSecret):
            raise
        place = resource.place
        what = f"cluster {resource.key.cluster}: {resource.key.kind} {place.namespace}/{place.name}"
        return Deferred(not_understood(what, error))


def decide_alone(inputs: Inputs, kind: Provider[Any], resource: Resource[Any], spec: Any) -> Decision:
    """Decide one resource as if it had no dependencies."""
    found, last = inputs.found.get(resource.key), inputs.state.last(resource.key)
    match found:
        case UnreadSecret() if last:
            return _by_state(inputs, kind, resource.key, spec, found, last)
        case Unread(why):
            return Deferred(why)
        case Live() if _is_left(inputs, resource.key, found, last):
            return _leave(kind, resource, spec, found)
        case Live() if found.going or _is_home_going(inputs, resource):
            return _again(inputs, kind, resource.key, spec, last)
    return _by_live(inputs, kind, resource, spec, found, last)


def _by_state(
    inputs: Inputs, kind: Provider[Any], key: Key, spec: Any, found: UnreadSecret, last: Last
) -> Decision:
    known = owned(found, last, inputs.state.mesh)
    if why := kind.refuse(spec, known.seen, last):
        return Refused(why)
    return _do(step_as_recorded(kind, spec, key, known, last=last, now=inputs.now))


def _is_home_going(inputs: Inputs, resource: Resource[Any]) -> bool:
    """Whether the namespace of a resource is being deleted, and takes the resource with it."""
    home = inputs.found.get(namespace_key(resource.key.cluster, resource.place.namespace))
    return isinstance(home, Live) and home.going


def _again(inputs: Inputs, kind: Provider[Any], key: Key, spec: Any, last: Last | None) -> Decision:
    """Decide as if what is being deleted were gone already: the run waits until it is."""
    if why := kind.refuse(spec, None, last):
        return Refused(why)
    step = step_for(kind, spec, key, None, last, inputs.now)
    if step and step.action is Action.CREATE:
        step = replace(step, reason=Reason.DRIFT if last else Reason.NEW, why=GOING)
    return _do(step)


def _is_left(inputs: Inputs, key: Key, found: Live, last: Last | None) -> bool:
    return key in inputs.options.leave and is_theirs(last, found, inputs.state.mesh)


def _leave(kind: Provider[Any], resource: Resource[Any], spec: Any, found: Live) -> Decision:
    whose = left(kind, spec, resource, found)
    if isinstance(whose, str):
        return Refused(whose)
    return LeftToOwner(whose, _do(waiting_for(kind, spec, resource.key, found)))


def _by_live(
    inputs: Inputs,
    kind: Provider[Any],
    resource: Resource[Any],
    spec: Any,
    found: Live | None,
    last: Last | None,
) -> Decision:
    key = resource.key
    if why := kind.refuse(spec, found, last):
        return Refused(why)
    if (
        found
        and key not in inputs.options.take
        and not was_made(last, found, inputs.state.mesh)
        and (why := foreign(kind, spec, resource, found, last))
    ):
        return Refused(why)
    step = step_for(kind, spec, key, found, last, inputs.now)
    if found and step and step.action is Action.REPLACE and key not in inputs.options.take:
        # A replacement deletes what exists: that needs the same proof as a removal.
        proof = last or Last(resource.place)
        if why := unproven(kind, key, found, proof, inputs.state.mesh):
            return Refused(f"{key} must be replaced, but {why}: {ways_out(kind, key)}")
    return _do(step)


def _do(step: Step | None) -> Do | Unchanged:
    return Do(step) if step else Unchanged()


def _among_others(alone: Decision, inputs: Inputs, made: Mapping[Key, Decision], key: Key) -> Decision:
    """Defer a step behind what is deferred; else make it wait for the steps before it."""
    step = next_step(alone)
    if step is None:
        return alone
    waits_for = next((need for need in sorted(inputs.edges[key]) if is_deferred(made.get(need))), None)
    then = (
        Deferred(f"needs {waits_for}, which is deferred")
        if waits_for
        else Do(replace(step, needs=_steps_before(inputs, made, key)))
    )
    return replace(alone, then=then) if isinstance(alone, LeftToOwner) else then


def _steps_before(inputs: Inputs, made: Mapping[Key, Decision], key: Key) -> frozenset[Key]:
    """Return the nearest steps that a key depends on."""
    # Resources without a step are passed through: a change must not overtake another one only because what
    # lies between them is in sync.
    found: set[Key] = set()
    seen: set[Key] = set()
    waiting = list(inputs.edges[key])
    while waiting:
        need = waiting.pop()
        if next_step(made.get(need)):
            found.add(need)
        elif need not in seen:
            waiting += inputs.edges[need]
        seen.add(need)
    return frozenset(found)


def _is_by_state(decision: Decision, inputs: Inputs, key: Key) -> bool:
    """Whether a decision rests on a state entry; a Secret without one is deferred like all that is unread."""
    unread = isinstance(inputs.found.get(key), UnreadSecret)
    return unread and inputs.state.last(key) is not None and not isinstance(decision, Refused)


def _lookup(inputs: Inputs, kinds: Registry, made: Mapping[Key, Decision]) -> Lookup:
    """Return a lookup that gives a ref its live value, or Unknown when a step may still change it."""

    def look(ref: Ref) -> Any:
        found = inputs.found.get(ref.key)
        found = found.seen if isinstance(found, UnreadSecret) else found
        decision = made.get(ref.key)
        if not isinstance(found, Live) or is_deferred(decision):
            return Unknown(ref.key)
        step = next_step(decision)
        if step and (step.action in UNDECIDED or _may_move(step, kinds[ref.key.kind])):
            return Unknown(ref.key)
        return pick(found.outputs, ref)

    return look


def _may_move(step: Step, kind: Provider[Any]) -> bool:
    """Whether an update changes a field that an output depends on, or makes the resource again."""
    if not step.fields:
        return not ask.is_lasting(kind)
    return any(each.path[: len(path)] == path for each in step.fields for path in kind.moves)
