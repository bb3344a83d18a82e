"""The state from the clusters: the union of their copies, and from marks where a copy is missing.

The copies together hold what the lockfile held; what was adopted is marked as known from a copy only. In a
cluster without one, the objects that carry the mesh's marks are recorded, with the dependencies that the file
gives.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

from mesh.engine.observe import Observation, observe
from mesh.engine.remember import remember
from mesh.engine.session import Session
from mesh.errors import MeshError, RefusedError
from mesh.istio.addresses import LICENCE, namespace_key
from mesh.model import NO_CLUSTER, Found, Key, Live, Place, Unread
from mesh.model.diff import diff, dotted
from mesh.model.graph import Edges, edges, ordered
from mesh.model.refs import unknowns_in
from mesh.planner.decide import decide
from mesh.planner.decisions import Decisions
from mesh.planner.expand import expand
from mesh.planner.inputs import Inputs, places
from mesh.sdk.contract import Last
from mesh.state import slices
from mesh.state.identity import check_uids, identities
from mesh.state.lockfile import Entry, State, fresh
from mesh.state.merge import newer, with_unfinished
from mesh.state.own_part import Local, own_parts


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """The state, and where each part of it comes from, in sentences."""

    state: State
    said: tuple[str, ...]


def rebuild(session: Session, local: State | None = None) -> Rebuilt:
    """Put the state together again from what the clusters hold; write nothing.

    `local` is the lockfile, if it can be read. Raises RefusedError if the clusters hold states of two
    meshes, do not all answer, or are not those of the lockfile.
    """
    resources = expand(session.mesh, session.kinds)
    graph = edges(resources.values())
    seen = _observe(session, places(resources, fresh(session.mesh.name)))
    _refuse_silent(seen)
    namespaces = {cluster.name: cluster.namespace for cluster in session.mesh.clusters}
    _refuse_unread("the copy of the state", slices.unread(namespaces, seen.snapshots))
    copies = slices.read(session.mesh.name, namespaces, seen.snapshots)
    _refuse_damaged(slices.damaged(copies))
    held = slices.readable(copies)
    now = identities(session.mesh, seen.uids)
    before = _of_lineage(local, held) or fresh(session.mesh.name)
    check_uids(now, before.clusters)
    own = own_parts(held, Local(before, now, seen.uids))
    state, said = _union(session.mesh.name, own.parts)
    check_uids(now, state.clusters)
    state = replace(state, written={name: part.serial for name, part in own.parts.items()})
    bare = sorted(namespaces.keys() - own.parts.keys())
    marked = {name: _owned(session, name, seen, graph) for name in bare}
    if not state.entries or any(marked.values()):
        found = {key: place for each in marked.values() for key, place in each.items()}
        state = _with_marked(session, state, found, resources, graph)
        state = replace(
            state,
            serial=state.serial + 1,
            run=str(uuid4()),
            clusters={**state.clusters, **{name: now[name] for name in bare if marked[name]}},
        )
    state = with_unfinished(state, before)
    said += [_told(name, len(marked[name])) for name in bare]
    return Rebuilt(state, (*own.said, *said))


def _of_lineage(local: State | None, held: Mapping[str, State | None]) -> State | None:
    """Return the lockfile if it is about the mesh of which the clusters hold copies."""
    lineages = {each.lineage for each in held.values() if each}
    return local if local and local.lineage in lineages else None


def refuse_older(found: State, local: State) -> None:
    """Raise RefusedError if the lockfile is newer than the clusters, or belongs to another lineage."""
    if not local.entries:
        return
    if local.lineage != found.lineage:
        raise RefusedError(
            f"the lockfile is of another lineage ({local.lineage}) than the clusters ({found.lineage})",
            hint="move it away if it belongs to something else, or replace it with --force",
        )
    if local.serial > found.serial:
        raise RefusedError(
            f"the lockfile (serial {local.serial}) is newer than the clusters' state (serial {found.serial})",
            hint="keep it: the next apply brings the clusters up to date; or go back with --force",
        )


def _union(mesh: str, held: Mapping[str, State]) -> tuple[State, list[str]]:
    """Join the copies. Two runs of one serial are each right about their clusters: a new serial ends that."""
    told = [
        f"cluster {name}: its copy of the state, serial {each.serial}, {_count(each, name)}"
        for name, each in sorted(held.items())
    ]
    lineages = {each.lineage: name for name, each in held.items()}
    if len(lineages) > 1:
        (one, first), (two, second), *_ = sorted(lineages.items())
        raise RefusedError(
            f"clusters {first} and {second} hold states of different lineages ({one}, {two})",
            hint="they belong to two meshes of the same name: take one of them out of the file",
        )
    runs = {each.serial: each.run for each in held.values()}
    forked = any(each.run != runs[each.serial] for each in held.values())
    if not forked:
        return newer(fresh(mesh), held), told
    top = max(held.values(), key=lambda each: each.serial)
    run = str(uuid4())
    even = {name: replace(each, serial=top.serial + 1, run=run) for name, each in held.items()}
    told.append(f"two runs had written serial {top.serial}: what each left in its clusters is joined")
    return newer(fresh(mesh), even), told


def _owned(session: Session, cluster: str, seen: Observation, graph: Edges) -> dict[Key, Place]:
    """Return what carries the label in a cluster, under the address that the file has for its place, if any.

    The annotation on an object has the address of its last write, which `mesh state rename` may have changed.
    Locators do not count: what was found has none.
    """
    found: dict[Key, Place] = {}
    wanted = {
        (key.kind, place.namespace, place.name): key
        for key, place in _places_of(session, graph, cluster).items()
    }
    for kind in session.kinds.values():
        for key, place in kind.owned(session.mesh.name, seen.snapshots[cluster]).items():
            here = (key.kind, place.namespace, place.name)
            found[wanted.get(here, replace(key, cluster=cluster))] = place
    return found


def _places_of(session: Session, graph: Edges, cluster: str) -> dict[Key, Place]:
    resources = expand(session.mesh, session.kinds)
    return {key: resources[key].place for key in graph if key.cluster == cluster}


def _with_marked(
    session: Session, state: State, found: Mapping[Key, Place], resources: Mapping[Key, Any], graph: Edges
) -> State:
    """Add what was found by its marks, and what belongs to no cluster."""
    where = dict(found)
    where |= {key: each.place for key, each in resources.items() if key.cluster == NO_CLUSTER}
    missing = {key: place for key, place in where.items() if key not in state.entries}
    for key, place in missing.items():
        state = state.with_entry(key, Entry(Last(place), graph.get(key, _needs(place, key, where))))
    seen = _observe(session, places(resources, state))
    unread = {key: live.why for key in missing if isinstance(live := seen.found.get(key), Unread)}
    _refuse_unread("what carries the mesh's marks", {str(key): why for key, why in unread.items()})
    decisions = _decided(session, state, resources, graph, seen)
    for key, place in missing.items():
        state = state.with_entry(
            key, marked_entry(session, decisions, state.entries[key], seen.found.get(key), key, place)
        )
    return state


def _decided(
    session: Session, state: State, resources: Mapping[Key, Any], graph: Edges, seen: Observation
) -> Decisions:
    known = Inputs(resources, graph, ordered(graph), seen.found, state, session.world.clock.now())
    return decide(known, session.kinds)


def marked_entry(
    session: Session, decisions: Decisions, before: Entry, live: Found, key: Key, place: Place
) -> Entry | None:
    """Return the entry as if mesh had just created it, without the fields that differ: those are drift."""
    if not isinstance(live, Live):
        return None
    # A rebuild has no licence at hand. Its Secret is judged by the live object, so it is known here.
    if key not in decisions.specs or any(each.after != LICENCE for each in unknowns_in(decisions.specs[key])):
        return replace(before, last=replace(before.last, uid=live.uid))
    kind, spec = session.kinds[key.kind], decisions.specs[key]
    last = remember(kind, spec, place, live, None, made=True)
    differ = {dotted(each.path) for each in diff(live.attrs, kind.wanted(spec, live, last))}
    fields = {path: value for path, value in last.fields.items() if path not in differ}
    return replace(before, last=replace(last, fields=fields))


def _needs(place: Place, key: Key, found: Mapping[Key, Place]) -> frozenset[Key]:
    """Return the only need known of a resource that is not in the file: its namespace."""
    home = namespace_key(key.cluster, place.namespace)
    return frozenset({home} & found.keys())


def _observe(session: Session, where: Mapping[Key, Place]) -> Observation:
    clusters = tuple(cluster.name for cluster in session.mesh.clusters)
    return observe(where, clusters, {}, session.kinds, session.world, {})


def _refuse_silent(seen: Observation) -> None:
    _refuse_loss(
        "not every cluster answers, and what it holds",
        seen.unreachable,
        "rebuild when all do, or take that cluster out of the file first",
    )


def _refuse_unread(what: str, unread: Mapping[str, str]) -> None:
    # No answer is not "nothing there": a state without it would begin a second history of the same mesh.
    _refuse_loss(f"{what} cannot be read, and it", unread, "run mesh state rebuild again when it can be read")


def _refuse_damaged(damaged: Mapping[str, str]) -> None:
    _refuse_loss(
        "a cluster's copy of the state cannot be read, and what it holds",
        damaged,
        "delete that ConfigMap: what the cluster holds is then found by the marks on its objects",
    )


def _refuse_loss(what: str, reasons: Mapping[str, str], hint: str) -> None:
    """Raise MeshError if there is a reason, each under its name, why something would be lost."""
    if reasons:
        why = "; ".join(f"{name}: {text}" for name, text in sorted(reasons.items()))
        raise MeshError(f"{what} would be lost: {why}", hint=hint)


def _told(cluster: str, count: int) -> str:
    if not count:
        return f"cluster {cluster}: no copy of the state, and no object that carries the mesh's marks"
    return f"cluster {cluster}: no copy of the state; {count} resources found by their marks"


def _count(state: State, cluster: str) -> str:
    mine = sum(key.cluster == cluster for key in state.entries)
    return f"{mine} resources"
