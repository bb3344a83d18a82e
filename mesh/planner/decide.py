"""Desired, live and recorded to ordered steps, each with its reason and preconditions; pure.

A key is decided after all that it needs, so a ref to something that will change is `Unknown`, and
whatever needs something that could not be read is deferred.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from mesh.model import (
    Action,
    Deferral,
    Found,
    Key,
    Left,
    Live,
    Place,
    Resource,
    Step,
    Unknown,
    Unread,
    UnreadSecret,
)
from mesh.model.graph import Edges
from mesh.model.refs import Lookup, Ref, bind, pick
from mesh.planner.from_record import owned
from mesh.planner.ownership import foreign, is_theirs, left, was_made
from mesh.planner.step import step_as_recorded, step_for, waiting_for
from mesh.sdk import ask
from mesh.sdk.contract import Provider, Registry
from mesh.state.lockfile import Entry, State

UNDECIDED = frozenset({Action.CREATE, Action.REPLACE, Action.READ})


@dataclass(frozen=True, slots=True)
class Known:
    """All that a plan is decided upon; of what others made, `taken` is taken over and `left` left to them.

    `sensitive` are the paths of values that the file calls so.
    """

    resources: Mapping[Key, Resource[Any]]
    edges: Edges
    order: tuple[Key, ...]
    found: Mapping[Key, Found]
    state: State
    now: datetime
    taken: frozenset[Key] = frozenset()
    left: frozenset[Key] = frozenset()
    sensitive: tuple[str, ...] = ()

    def gone(self) -> dict[Key, Entry]:
        """What is recorded and no longer wanted."""
        return {key: entry for key, entry in self.state.entries.items() if key not in self.resources}


@dataclass(slots=True)
class Draft:
    """The decisions, by key; `bound` holds each wanted spec with its refs filled in.

    `recorded` is what was judged as of the last apply.
    """

    steps: dict[Key, Step] = field(default_factory=dict)
    deferred: dict[Key, Deferral] = field(default_factory=dict)
    refusals: dict[Key, str] = field(default_factory=dict)
    bound: dict[Key, Any] = field(default_factory=dict)
    unchanged: list[Key] = field(default_factory=list)
    left: dict[Key, Left] = field(default_factory=dict)
    recorded: list[Key] = field(default_factory=list)


def decide(known: Known, kinds: Registry) -> Draft:
    """Decide every wanted key, in dependency order."""
    draft = Draft()
    look = _lookup(known, kinds, draft)
    for key in known.order:
        _decide_wanted(known, kinds[key.kind], key, draft, look)
    return draft


def _decide_wanted(known: Known, kind: Provider[Any], key: Key, draft: Draft, look: Lookup) -> None:
    found, last = known.found.get(key), known.state.last(key)
    draft.bound[key] = spec = bind(known.resources[key].spec, look)
    if isinstance(found, Unread):
        if not isinstance(found, UnreadSecret) or last is None:
            draft.deferred[key] = Deferral(key, found.why)
            return
        found = owned(found, last, known.state.mesh)
        if refusal := kind.refuse(spec, found.seen, last):
            draft.refusals[key] = refusal
            return
        draft.recorded.append(key)
        step = step_as_recorded(kind, spec, key, found, last=last, now=known.now)
    elif found and key in known.left and is_theirs(last, found, known.state.mesh):
        whose = left(kind, spec, known.resources[key], found)
        if isinstance(whose, str):
            draft.refusals[key] = whose
            return
        draft.left[key] = whose
        step = waiting_for(kind, spec, key, found)
    else:
        refusal = kind.refuse(spec, found, last)
        if found and not refusal and key not in known.taken and not was_made(last, found, known.state.mesh):
            refusal = foreign(kind, spec, known.resources[key], found, last)
        if refusal:
            draft.refusals[key] = refusal
            return
        step = step_for(kind, spec, key, found, last, known.now)
    waits_for = next((need for need in sorted(known.edges[key]) if need in draft.deferred), None)
    if step is None:
        draft.unchanged += [key] if key not in draft.left else []
    elif waits_for:
        draft.deferred[key] = Deferral(key, f"needs {waits_for}, which is deferred")
    else:
        draft.steps[key] = replace(step, needs=_before(known, draft, key))


def _before(known: Known, draft: Draft, key: Key) -> frozenset[Key]:
    """The steps that a key comes next after; what lies between may be as wanted already."""
    found: set[Key] = set()
    seen: set[Key] = set()
    waiting = list(known.edges[key])
    while waiting:
        need = waiting.pop()
        if need in draft.steps:
            found.add(need)
        elif need not in seen:
            waiting += known.edges[need]
        seen.add(need)
    return frozenset(found)


def _lookup(known: Known, kinds: Registry, draft: Draft) -> Lookup:
    """Give a ref's value as it is now, or Unknown when a step may still change it."""

    def look(ref: Ref) -> Any:
        found = known.found.get(ref.key)
        found = found.seen if isinstance(found, UnreadSecret) else found
        if not isinstance(found, Live) or ref.key in draft.deferred:
            return Unknown(ref.key)
        step = draft.steps.get(ref.key)
        if step and (step.action in UNDECIDED or _moves(step, kinds[ref.key.kind])):
            return Unknown(ref.key)
        return pick(found.outputs, ref)

    return look


def _moves(step: Step, kind: Provider[Any]) -> bool:
    """Whether an update touches a field on which an output depends, or makes the thing anew."""
    if not step.fields:
        return not ask.is_lasting(kind)
    return any(each.path[: len(path)] == path for each in step.fields for path in kind.moves)


def in_order(steps: Mapping[Key, Step], order: tuple[Key, ...]) -> tuple[Step, ...]:
    """List removals first, as they were decided (each after its users), then the rest by `order`."""
    wanted = set(order)
    removals = [key for key in steps if key not in wanted]
    return tuple(steps[key] for key in [*removals, *order] if key in steps)


def to_confirm(steps: tuple[Step, ...], kinds: Registry) -> tuple[str, ...]:
    """The clusters with a step that a person confirms by name, in the order of the steps."""
    names = [
        step.key.cluster
        for step in steps
        if step.action is Action.UPDATE
        and {each.path for each in step.fields} & ask.confirmed(kinds[step.key.kind])
    ]
    return tuple(dict.fromkeys(names))


def confirmation(names: tuple[str, ...]) -> tuple[str, ...]:
    """The words that say so, if there are any."""
    if not names:
        return ()
    return (
        f"the root of trust of {', '.join(names)} changes: istiod, ztunnel and east-west gateways "
        "restart there and every identity is issued again; apply asks for "
        "the name of each such cluster (--confirm NAME)",
    )


def plan_digest(steps: tuple[Step, ...], kept: Iterable[Left] = ()) -> str:
    """A digest over what the steps do and what is left to others, not over how or when it was found out."""
    lines: list[list[Any]] = [
        [
            step.action.value,
            str(step.key),
            [[each.dotted, _plain(each.before), _plain(each.after)] for each in step.fields],
        ]
        for step in steps
        if step.action is not Action.READ
    ]
    lines += [["left", str(each.key), each.owner, each.where] for each in kept]
    text = json.dumps(lines, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def _plain(value: Any) -> Any:
    return value if isinstance(value, str | int | float | bool | type(None)) else repr(value)


def places(known_resources: Mapping[Key, Resource[Any]], state: State) -> dict[Key, Place]:
    """Where everything wanted or recorded is to be looked for."""
    recorded = {key: entry.last.place for key, entry in state.entries.items()}
    return recorded | {key: resource.place for key, resource in known_resources.items()}
