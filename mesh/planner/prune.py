"""What is recorded and no longer wanted: delete it, give it back, or forget it; pure."""

from __future__ import annotations

from dataclasses import replace

from mesh.model import Action, Deferral, Found, Key, Reason, Step, Unread, UnreadSecret
from mesh.model.diff import diff
from mesh.model.graph import ordered, reversed_edges
from mesh.planner.decide import Draft, Known
from mesh.planner.from_record import STAYS, removal_as_recorded
from mesh.planner.ownership import was_made
from mesh.sdk import ask
from mesh.sdk.contract import Registry
from mesh.state.lockfile import Entry


def decide_unwanted(known: Known, kinds: Registry, draft: Draft, *, adopted_too: bool = False) -> None:
    """Delete what we made, users first; give back what we only changed; forget what is gone or not ours.

    With `adopted_too`, what was taken over is deleted as if we had made it.
    """
    gone = known.gone()
    if not gone:
        return
    users = reversed_edges({key: entry.needs for key, entry in gone.items()})
    for key in ordered(users):
        found = known.found.get(key)
        blocked = next((user for user in sorted(users[key]) if user in draft.deferred), None)
        if isinstance(found, Unread) and not isinstance(found, UnreadSecret):
            draft.deferred[key] = Deferral(key, found.why)
        elif blocked:
            draft.deferred[key] = Deferral(key, f"still used by {blocked}, which is deferred")
        else:
            draft.recorded += [key] if isinstance(found, UnreadSecret) else []
            step = _removal(known, kinds, key, gone[key], adopted_too)
            draft.steps[key] = replace(
                step, needs=frozenset(user for user in users[key] if user in draft.steps)
            )


def _removal(known: Known, kinds: Registry, key: Key, entry: Entry, adopted_too: bool) -> Step:  # noqa: FBT001
    found: Found = known.found.get(key)
    reason = Reason.REMOVED if known.resources else Reason.DESTROY
    if isinstance(found, Unread):
        return removal_as_recorded(kinds[key.kind], key, entry.last, reason)
    if found is None:
        return Step(Action.FORGET, key, reason, why="it is gone already")
    kind = kinds[key.kind]
    there = ask.hidden(kind, found.attrs, known.sensitive)
    made = entry.last.created and was_made(entry.last, found, known.state.mesh)
    if made or (adopted_too and ask.is_adoptable(kind)):
        return Step(Action.DELETE, key, reason, diff(there, {}), expects=found.token)
    if ask.awaited(kind, key):
        return Step(Action.FORGET, key, reason, why="others keep it")
    theirs = ask.hidden(kind, ask.without(kind, found, entry.last), known.sensitive)
    fields = diff(there, theirs)
    if not fields:
        return Step(Action.FORGET, key, reason, why=ask.stays(kind))
    return Step(Action.UPDATE, key, reason, fields, expects=found.token, why=STAYS)
