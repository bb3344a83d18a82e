"""The state of each resource as the plan decided it, and whether it works as its kind judges; pure.

This is the one judge of what exists: `mesh status`, `mesh check` and `mesh why` print these words, which
are those of the plan's own steps, deferrals and refusals.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mesh.model import (
    Action,
    Found,
    Key,
    Live,
    NoValue,
    Place,
    Ready,
    Reason,
    Step,
    Unknown,
    Unread,
    UnreadSecret,
    Verdict,
    not_yet,
)
from mesh.model.refs import Lookup, Ref, bind, pick
from mesh.planner.decisions import Decisions
from mesh.planner.inputs import Inputs
from mesh.sdk.contract import Registry
from mesh.world.guarded import guarded

READY = "ready"
NOT_READY = Verdict.NOT_YET.value
NEVER = Verdict.NEVER.value
MISSING = "missing"
DIFFERS = "differs"
REFUSED = "refused"
UNKNOWN = "not known"
UNWANTED = "no longer wanted"

IN_SYNC = "in sync and ready"
SHOWN = 3
"""How many fields that differ are named in one line; `mesh plan` and `mesh why` show all of them."""


@dataclass(frozen=True, slots=True)
class ResourceState:
    """The state of one resource: `word` is for programs, `text` for people.

    `trouble` says why it does not work, "" if it does: a resource may differ from the mesh file and work, or
    work no longer because it differs. `step` is what a plan would do, None for nothing. `found` is what was
    read, `place` where. `unread` says why that is not known.
    """

    key: Key
    word: str
    text: str
    trouble: str = ""
    step: Step | None = None
    found: Found = None
    unread: str = ""
    place: Place = Place("", "")

    @property
    def good(self) -> bool:
        """Whether there is nothing to do about it."""
        return self.word == READY

    @property
    def works(self) -> bool:
        """Whether it exists, was read, and is ready."""
        return not self.trouble and not self.unread

    @property
    def in_sync(self) -> bool:
        """Whether a plan would not change it."""
        return self.word in {READY, NOT_READY, NEVER}

    @property
    def live(self) -> Live | None:
        """The live object, or what is known of it although its Secret may not be read."""
        if isinstance(self.found, UnreadSecret):
            return self.found.seen
        return self.found if isinstance(self.found, Live) else None


def states(inputs: Inputs, decisions: Decisions, kinds: Registry) -> dict[Key, ResourceState]:
    """Return the state of each resource that is wanted or recorded, in the order of the addresses."""
    look = _now(inputs)
    return {
        key: state(key, inputs, decisions, _readiness(key, inputs, kinds, look))
        for key in sorted({*inputs.resources, *inputs.state.entries})
    }


def state(key: Key, inputs: Inputs, decisions: Decisions, ready: Ready | None = None) -> ResourceState:
    """Return the state of one resource; `ready` is what its kind says of the live object, if there is one."""
    found = inputs.found.get(key)
    word, text = _said(key, inputs, decisions, ready)
    step = decisions.steps.get(key)
    return ResourceState(
        key,
        word,
        f"{text}, as of the last apply" if key in decisions.from_state else text,
        _trouble(key, inputs, decisions, ready),
        step,
        found,
        found.why if isinstance(found, Unread) and not isinstance(found, UnreadSecret) else "",
        place_of(key, inputs),
    )


def place_of(key: Key, inputs: Inputs) -> Place:
    """Return where a resource is, or is to be."""
    resource, last, found = inputs.resources.get(key), inputs.state.last(key), inputs.found.get(key)
    if isinstance(found, Live) and found.place:
        return found.place
    return resource.place if resource else last.place if last else Place("", key.name)


def _said(key: Key, inputs: Inputs, decisions: Decisions, ready: Ready | None) -> tuple[str, str]:
    if refusal := decisions.refusals.get(key):
        return REFUSED, f"refused: {refusal}"
    if left := decisions.left.get(key):
        step = decisions.steps.get(key)
        text = f"left to {left.owner}"
        return (_verdict(ready), f"{text}, {_verdict(ready)}: {step.why}") if step else (READY, text)
    if deferred := decisions.deferred.get(key):
        return UNKNOWN, f"not known: {deferred.why}"
    if step := decisions.steps.get(key):
        return _of_step(step, ready, wanted=key in inputs.resources)
    return READY, IN_SYNC


def _of_step(step: Step, ready: Ready | None, *, wanted: bool) -> tuple[str, str]:
    """Return the state of a resource before its step."""
    why = f": {step.why}" if step.why else ""
    if not wanted:
        return UNWANTED, f"no longer in the configuration{why}"
    match step.action:
        case Action.CREATE:
            return MISSING, f"missing{why}"
        case Action.READ:
            return _verdict(ready), f"{_verdict(ready)}{why}"
        case Action.NOOP:
            return READY, IN_SYNC
    return DIFFERS, f"{differs(step)}{why}"


def differs(step: Step) -> str:
    """Return what differs, and why the plan changes it."""
    count = len(step.fields)
    what = f"differs in {count} {'field' if count == 1 else 'fields'}" if count else "to be renewed"
    names = [each.dotted for each in step.fields[:SHOWN]] + (["…"] if count > SHOWN else [])
    reason = "" if step.reason is Reason.EXPIRING else f" ({step.reason.value})"
    return f"{what}{reason}" + (f": {', '.join(names)}" if names else "")


def _verdict(ready: Ready | None) -> str:
    return NEVER if ready is not None and ready.verdict is Verdict.NEVER else NOT_READY


def _trouble(key: Key, inputs: Inputs, decisions: Decisions, ready: Ready | None) -> str:
    """Return why it does not work; what cannot be read, or is no longer wanted, has no trouble of its own."""
    step, found = decisions.steps.get(key), inputs.found.get(key)
    if key not in inputs.resources:
        return ""
    if step and step.action is Action.READ:
        return step.why
    if found is None:
        return decisions.refusals.get(key) or MISSING + (f": {step.why}" if step and step.why else "")
    return "" if ready is None else ready.why


def _readiness(key: Key, inputs: Inputs, kinds: Registry, look: Lookup) -> Ready | None:
    """Ask the kind about the live object, whether or not the plan changes it; None if there is none."""
    found, resource = inputs.found.get(key), inputs.resources.get(key)
    live = found.seen if isinstance(found, UnreadSecret) and inputs.state.last(key) else found
    if resource is None or not isinstance(live, Live):
        return None
    judged = guarded(
        f"cluster {key.cluster}: {key.kind} {key.name}",
        lambda: kinds[key.kind].ready(bind(resource.spec, look), live),
    )
    return not_yet(judged.why) if isinstance(judged, Unread) else judged


def _now(inputs: Inputs) -> Lookup:
    """Return a lookup that gives a ref the value it has now, whatever a plan would make of it.

    The plan says `Unknown` for all that a step may still change. A link to a gateway with a pending change
    works as before; one to a gateway that is missing does not: `NoValue` tells the kind so.
    """

    def look(ref: Ref) -> Any:
        found = inputs.found.get(ref.key)
        if isinstance(found, Unread) and not isinstance(found, UnreadSecret):
            return Unknown(ref.key)
        live = found.seen if isinstance(found, UnreadSecret) else found
        value = pick(live.outputs, ref) if isinstance(live, Live) else None
        return NoValue(ref.key) if value is None or isinstance(value, Unknown) else value

    return look
