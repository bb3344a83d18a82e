"""What the state holds and the file no longer wants: delete it, give it back, or forget it; pure."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mesh.model import Action, Deferral, Key, Live, Reason, Step, Unread, UnreadSecret
from mesh.model.diff import diff
from mesh.model.graph import ordered, reversed_edges
from mesh.planner.decisions import Decisions
from mesh.planner.from_record import STAYS, removal_as_recorded
from mesh.planner.inputs import Inputs
from mesh.planner.ownership import unproven
from mesh.sdk import ask
from mesh.sdk.contract import Last, Provider, Registry
from mesh.world.guarded import not_understood


def prune(decisions: Decisions, inputs: Inputs, kinds: Registry) -> Decisions:
    """Add a decision for everything that is no longer wanted.

    What mesh created is deleted, users before what they use. What mesh only changed is given back. What
    is gone already, or cannot be proven to be this mesh's, is forgotten.

    The order comes from the needs in the state, not from those of the file: the file no longer names these
    resources. A resource with a deferred user stays too, or that user would lose its dependency.
    """
    gone = inputs.unwanted()
    users = reversed_edges({key: entry.needs for key, entry in gone.items()})
    steps, deferred, from_state = dict(decisions.steps), dict(decisions.deferred), set(decisions.from_state)
    # Users come first in this order, so a deferred user is known before what it uses is decided.
    for key in ordered(users):
        found = inputs.found.get(key)
        blocked = next((user for user in sorted(users[key]) if user in deferred), None)
        if isinstance(found, Unread) and not isinstance(found, UnreadSecret):
            deferred[key] = Deferral(key, found.why)
        elif blocked:
            deferred[key] = Deferral(key, f"still used by {blocked}, which is deferred")
        else:
            from_state |= {key} if isinstance(found, UnreadSecret) else set()
            step = _understood(inputs, kinds[key.kind], key, gone[key].last)
            if isinstance(step, Deferral):
                deferred[key] = step
                continue
            steps[key] = replace(step, needs=frozenset(user for user in users[key] if user in steps))
    return replace(decisions, steps=steps, deferred=deferred, from_state=frozenset(from_state))


def _understood(inputs: Inputs, kind: Provider[Any], key: Key, last: Last) -> Step | Deferral:
    """Return the step; what was read and cannot be judged is deferred."""
    try:
        return removal(inputs, kind, key, last)
    except Exception as error:
        if not isinstance(inputs.found.get(key), Live | UnreadSecret):
            raise
        what = f"cluster {key.cluster}: {key.kind} {last.place.namespace}/{last.place.name}"
        return Deferral(key, not_understood(what, error))


def removal(inputs: Inputs, kind: Provider[Any], key: Key, last: Last) -> Step:
    """Return the step for one resource that is no longer wanted."""
    found = inputs.found.get(key)
    reason = Reason.DESTROY if inputs.options.destroy else Reason.REMOVED
    if isinstance(found, Unread):
        return removal_as_recorded(kind, key, last, reason)
    if found is None:
        return Step(Action.FORGET, key, reason, why="it is gone already")
    if ask.awaited(kind, key):
        return Step(Action.FORGET, key, reason, why="another program keeps it")
    why = unproven(kind, key, found, last, inputs.state.mesh)
    if last.created or (inputs.options.include_adopted and ask.is_adoptable(kind)):
        there = ask.hidden(kind, found.attrs, inputs.sensitive)
        delete = Step(Action.DELETE, key, reason, diff(there, {}), expects=found.token)
        return replace(delete, action=Action.FORGET, fields=(), why=f"it stays: {why}") if why else delete
    if why and ask.is_adoptable(kind):
        return Step(Action.FORGET, key, reason, why=f"it stays as it is: {why}")
    return _give_back(inputs, kind, found, last, Step(Action.FORGET, key, reason, why=ask.stays(kind)))


def _give_back(inputs: Inputs, kind: Provider[Any], found: Live, last: Last, forget: Step) -> Step:
    """Return the update that takes out what mesh put into it; the step that forgets it if there is none."""
    there = ask.hidden(kind, found.attrs, inputs.sensitive)
    theirs = ask.hidden(kind, ask.without(kind, found, last), inputs.sensitive)
    if not (fields := diff(there, theirs)):
        return forget
    return replace(forget, action=Action.UPDATE, fields=fields, expects=found.token, why=STAYS)
