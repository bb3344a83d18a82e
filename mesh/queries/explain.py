"""Explain one resource: its desired and live fields, who wrote them, its needs and its users; pure.

It shows the plan's own decision about the resource, and everything that the decision rests on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mesh.model import (
    ABSENT,
    Attrs,
    Found,
    Key,
    Live,
    Origin,
    Path,
    Place,
    Step,
    Touch,
    Unread,
    UnreadSecret,
)
from mesh.model.diff import dotted, leaves
from mesh.model.graph import Edges, reversed_edges
from mesh.planner.decisions import Decisions
from mesh.planner.inputs import Inputs
from mesh.queries.states import ResourceState, states
from mesh.sdk import ask
from mesh.sdk.contract import Provider, Registry
from mesh.state.lockfile import Entry


@dataclass(frozen=True, slots=True)
class Fact:
    """One field: its desired and its live value (either may be ABSENT), and who wrote it.

    `managed` is true if mesh sets the field; fields of another owner stay unchanged.
    """

    path: Path
    wanted: Any
    live: Any
    managed: bool
    by: tuple[Touch, ...] = ()

    @property
    def word(self) -> str:
        """The state of the field, for programs and people."""
        if self.live is ABSENT:
            return "missing"
        if self.wanted is ABSENT:
            return "to go" if self.managed else "not managed"
        if self.live != self.wanted:
            return "differs"
        return "in sync" if self.managed else "not managed"


@dataclass(frozen=True, slots=True)
class Why:
    """Everything that is known of one resource.

    `origin` is None for a resource that the mesh file no longer has. `waits` are its direct needs, `behind`
    the unhealthy ones among their own needs. `users` are the resources that need it. `unread` says why it
    could not be read, "" if it was.
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


def why(key: Key, inputs: Inputs, decisions: Decisions, kinds: Registry, written: tuple[Touch, ...]) -> Why:
    """Return what is known of a resource of the mesh file or of the state."""
    resource, entry = inputs.resources.get(key), inputs.state.entries.get(key)
    found = inputs.found.get(key)
    live = found if isinstance(found, Live) else None
    needs = _needs(inputs)
    all_states = states(inputs, decisions, kinds)
    behind = _behind(key, needs, all_states)
    return Why(
        state=all_states[key],
        origin=resource.origin if resource else None,
        place=all_states[key].place,
        live=live,
        record=entry,
        facts=tuple(_facts(kinds[key.kind], key, inputs, decisions, written)) if key.kind in kinds else (),
        written=written,
        waits=tuple(all_states[each] for each in sorted(needs[key])),
        behind=tuple(all_states[each] for each in behind if each not in needs[key]),
        users=tuple(all_states[each] for each in sorted(reversed_edges(needs)[key])),
        unread=found.why if isinstance(found, Unread) else "",
    )


def _needs(inputs: Inputs) -> Edges:
    """Return the direct needs of each key, from the state for what the mesh file no longer has."""
    keys = inputs.resources.keys() | inputs.state.entries.keys()
    recorded = {key: entry.needs for key, entry in inputs.state.entries.items()}
    return {key: (inputs.edges[key] if key in inputs.edges else recorded[key]) & keys for key in sorted(keys)}


def _behind(key: Key, needs: Edges, states: Mapping[Key, ResourceState]) -> list[Key]:
    """Return the unhealthy resources that this one needs, directly or not."""
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
    if isinstance(found, Unread) and not isinstance(found, UnreadSecret):
        return  # whether its fields are there is not known
    there = _flat(_seen(kind, spec, found, inputs.sensitive))
    wanted, managed = there if spec is None else {}, set[Path]()
    if spec is not None:
        managed = set(_flat(kind.wanted(spec, None, None)))
        wanted = _flat(kind.wanted(spec, None if isinstance(found, UnreadSecret) else found, last))
    if isinstance(found, UnreadSecret):
        there = _left(wanted, decisions.steps.get(key))
    recorded = {} if last is None or spec is None else last.fields
    for path in sorted(there.keys() | wanted.keys()):
        by = tuple(_writers(path, written)) if path in there else ()
        mine = path in managed or dotted(path) in recorded
        yield Fact(path, wanted.get(path, ABSENT), there.get(path, ABSENT), mine, by)


def _seen(kind: Provider[Any], spec: Any, found: Found, sensitive: tuple[str, ...]) -> Attrs:
    if not isinstance(found, Live):
        return {}
    return ask.hidden(kind, found.attrs, sensitive) if spec is None else ask.seen(kind, spec, found)


def _left(wanted: Mapping[Path, Any], step: Step | None) -> dict[Path, Any]:
    """Return the values of the last apply: the desired ones, except where the plan says otherwise."""
    before = {each.path: each.before for each in step.fields} if step else {}
    return {path: value for path, value in {**wanted, **before}.items() if value is not ABSENT}


def _flat(attrs: Attrs) -> dict[Path, Any]:
    return {path: value for path, value in leaves(attrs) if path}


def _writers(path: Path, written: Iterable[Touch]) -> Iterator[Touch]:
    """Yield who wrote a value: the writers of its own path, or of the nearest path around it."""
    around = [touch for touch in written if path[: len(touch.path)] == touch.path]
    nearest = max((len(touch.path) for touch in around), default=0)
    yield from (touch for touch in around if len(touch.path) == nearest)
