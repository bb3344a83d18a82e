"""Why one resource is as it is: wanted, live, who wrote what, what it waits for, what needs it; pure.

It is the plan's own decision about one resource, with all that it was decided upon.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from mesh.model import (
    ABSENT,
    Action,
    Attrs,
    Found,
    Key,
    Live,
    Origin,
    Path,
    Place,
    Reason,
    Step,
    Touch,
    Unread,
    UnreadSecret,
)
from mesh.model.diff import dotted, leaves
from mesh.model.graph import Edges, reversed_edges
from mesh.planner.decisions import Decisions
from mesh.planner.inputs import Inputs
from mesh.sdk import ask
from mesh.sdk.contract import Provider, Registry
from mesh.state.lockfile import Entry


@dataclass(frozen=True, slots=True)
class ResourceState:
    """How one resource stands: `word` is for programs, `text` for people; `good` is as wanted and ready."""

    key: Key
    word: str
    text: str

    @property
    def good(self) -> bool:
        """Whether nothing is to be done about it."""
        return self.word == READY


@dataclass(frozen=True, slots=True)
class Fact:
    """One value: as it is wanted and as it is live (either may be ABSENT), and who wrote it.

    `ours` is whether we ask for it; the rest is somebody else's, and stays.
    """

    path: Path
    wanted: Any
    live: Any
    ours: bool
    by: tuple[Touch, ...] = ()

    @property
    def word(self) -> str:
        """How it stands."""
        if self.live is ABSENT:
            return "missing"
        if self.wanted is ABSENT:
            return "to go" if self.ours else "not ours"
        if self.live != self.wanted:
            return "differs"
        return "as wanted" if self.ours else "not ours"


@dataclass(frozen=True, slots=True)
class Why:
    """Everything that is known of one resource.

    `origin` is None for what is no longer wanted. `waits` are its direct needs, `behind` what these wait for
    in turn and is not as it must be. `users` is what needs it. `unread` is why it could not be read, "" if
    it was.
    """

    state: ResourceState
    origin: Origin | None
    place: Place
    live: Live | None
    record: Entry | None
    facts: tuple[Fact, ...]
    written: tuple[Touch, ...]
    waits: tuple[ResourceState, ...]
    behind: tuple[ResourceState, ...]
    users: tuple[ResourceState, ...]
    unread: str = ""


READY = "ready"
NOT_READY = "not ready"
ABSENT_WORD = "not there"
DIFFERS = "differs"
REFUSED = "refused"
UNKNOWN = "not known"
UNWANTED = "no longer wanted"


def why(key: Key, inputs: Inputs, decisions: Decisions, kinds: Registry, written: tuple[Touch, ...]) -> Why:
    """Gather what is known of a resource that is wanted or recorded."""
    resource, entry = inputs.resources.get(key), inputs.state.entries.get(key)
    found = inputs.found.get(key)
    live = found if isinstance(found, Live) else None
    needs = _needs(inputs)
    states = {each: state(each, inputs, decisions) for each in needs}
    behind = _behind(key, needs, states)
    place = resource.place if resource else entry.last.place if entry else Place("", key.name)
    return Why(
        state=states[key],
        origin=resource.origin if resource else None,
        place=(live.place if live else None) or place,
        live=live,
        record=entry,
        facts=tuple(_facts(kinds[key.kind], key, inputs, decisions, written)) if key.kind in kinds else (),
        written=written,
        waits=tuple(states[each] for each in sorted(needs[key])),
        behind=tuple(states[each] for each in behind if each not in needs[key]),
        users=tuple(states[each] for each in sorted(reversed_edges(needs)[key])),
        unread=found.why if isinstance(found, Unread) else "",
    )


def state(key: Key, inputs: Inputs, decisions: Decisions) -> ResourceState:
    """Say how a resource stands, as the plan decided, and what that rests on."""
    seen = _state(key, inputs, decisions)
    return replace(seen, text=f"{seen.text}, as of the last apply") if key in decisions.from_state else seen


def _state(key: Key, inputs: Inputs, decisions: Decisions) -> ResourceState:
    if refusal := decisions.refusals.get(key):
        return ResourceState(key, REFUSED, f"refused: {refusal}")
    if deferred := decisions.deferred.get(key):
        return ResourceState(key, UNKNOWN, f"not known: {deferred.why}")
    if left := decisions.left.get(key):
        why = f", not ready: {decisions.steps[key].why}" if key in decisions.steps else ""
        return ResourceState(key, NOT_READY if why else READY, f"left to {left.owner}{why}")
    if step := decisions.steps.get(key):
        return ResourceState(key, *_of_step(step, wanted=key in inputs.resources))
    return ResourceState(key, READY, "as wanted and ready")


def _of_step(step: Step, *, wanted: bool) -> tuple[str, str]:
    """How what a step is for stands before the step."""
    why = f": {step.why}" if step.why else ""
    if not wanted:
        return UNWANTED, f"no longer in the configuration{why}"
    match step.action:
        case Action.CREATE:
            return ABSENT_WORD, f"not there{why}"
        case Action.READ:
            return NOT_READY, f"not ready{why}"
        case Action.NOOP:
            return READY, "as wanted and ready"
    count = len(step.fields)
    what = f"differs in {count} {'field' if count == 1 else 'fields'}" if count else "to be made anew"
    reason = "" if step.reason is Reason.EXPIRING else f" ({step.reason.value})"
    return DIFFERS, f"{what}{reason}{why}"


def _needs(inputs: Inputs) -> Edges:
    """Each key with its direct needs, by the file; by the record for what the file no longer has."""
    keys = inputs.resources.keys() | inputs.state.entries.keys()
    recorded = {key: entry.needs for key, entry in inputs.state.entries.items()}
    return {key: (inputs.edges[key] if key in inputs.edges else recorded[key]) & keys for key in sorted(keys)}


def _behind(key: Key, needs: Edges, states: Mapping[Key, ResourceState]) -> list[Key]:
    """Everything below a resource that is not as it must be, the direct needs among it."""
    seen: set[Key] = set()
    todo = list(needs[key])
    while todo:
        each = todo.pop()
        if each not in seen:
            seen.add(each)
            todo += needs[each]
    return sorted(each for each in seen if not states[each].good)


def _facts(
    kind: Provider[Any], key: Key, inputs: Inputs, decisions: Decisions, written: tuple[Touch, ...]
) -> Iterator[Fact]:
    found, spec, last = inputs.found.get(key), decisions.specs.get(key), inputs.state.last(key)
    there = _flat(_seen(kind, spec, found, inputs.sensitive))
    wanted, ours = there if spec is None else {}, set[Path]()
    if spec is not None:
        ours = set(_flat(kind.wanted(spec, None, None)))
        wanted = _flat(kind.wanted(spec, None if isinstance(found, UnreadSecret) else found, last))
    if isinstance(found, UnreadSecret):
        there = _left(wanted, decisions.steps.get(key))
    recorded = {} if last is None or spec is None else last.fields
    for path in sorted(there.keys() | wanted.keys()):
        by = tuple(_writers(path, written)) if path in there else ()
        mine = path in ours or dotted(path) in recorded
        yield Fact(path, wanted.get(path, ABSENT), there.get(path, ABSENT), mine, by)


def _seen(kind: Provider[Any], spec: Any, found: Found, sensitive: tuple[str, ...]) -> Attrs:
    if not isinstance(found, Live):
        return {}
    return ask.hidden(kind, found.attrs, sensitive) if spec is None else ask.seen(kind, spec, found)


def _left(wanted: Mapping[Path, Any], step: Step | None) -> dict[Path, Any]:
    """What is there as of the last apply: as it is wanted, but for what the plan says of it."""
    before = {each.path: each.before for each in step.fields} if step else {}
    return {path: value for path, value in {**wanted, **before}.items() if value is not ABSENT}


def _flat(attrs: Attrs) -> dict[Path, Any]:
    return {path: value for path, value in leaves(attrs) if path}


def _writers(path: Path, written: Iterable[Touch]) -> Iterator[Touch]:
    """Who wrote a value: those of its own path, else of the nearest one around it."""
    around = [touch for touch in written if path[: len(touch.path)] == touch.path]
    nearest = max((len(touch.path) for touch in around), default=0)
    yield from (touch for touch in around if len(touch.path) == nearest)
