"""From wanted resources to a plan: read, decide, order, preview, refuse; the left half of the line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mesh.engine.observe import Observation, observe
from mesh.engine.orphans import with_ours
from mesh.engine.preview import preview
from mesh.engine.session import Decided, Planned, Session
from mesh.istio import remarks
from mesh.model import NO_CLUSTER, Action, Key, Plan, Resource, Step
from mesh.model.graph import edges, ordered
from mesh.model.spec import ExistingCA
from mesh.planner.decide import Draft, Known, confirmation, decide, in_order, places, plan_digest, to_confirm
from mesh.planner.downgrade import backwards
from mesh.planner.from_record import warning
from mesh.planner.link_switch import automatic_first, gap, gap_back, heirs, manual_first, without_distributed
from mesh.planner.ownership import check_taken, kept
from mesh.planner.prune import decide_unwanted
from mesh.planner.refusals import refuse_all, refuse_several_roots
from mesh.planner.reissue import asked_for, disclosed, reissued
from mesh.planner.rollout import CHANGES, GATED, cluster_by_cluster, gate_of, waves
from mesh.sdk import ask
from mesh.state import slices
from mesh.state.identity import check_identities, identities
from mesh.state.lockfile import State, newer


def plan(
    session: Session,
    resources: Mapping[Key, Resource[Any]],
    *,
    taken: frozenset[Key] = frozenset(),
    left: frozenset[Key] = frozenset(),
    removable: frozenset[str] = frozenset(),
    adopted_too: bool = False,
) -> Planned:
    """Plan the way to these resources, and away from what is recorded and not among them.

    Raises RefusedError with every refusal at once.
    """
    here = decided(session, resources, taken=taken, left=left, removable=removable, adopted_too=adopted_too)
    known, draft = here.known, here.draft
    check_taken(taken, resources.keys() | known.state.entries.keys())
    _keep(draft.steps, known, session, removable)
    draft.steps = backwards(draft.steps, (cluster.name for cluster in session.mesh.clusters))
    draft.steps = _rolled_out(session, draft.steps, goes=not resources)
    if resources:
        draft.steps = (
            manual_first(draft.steps)
            if session.mesh.automatic
            else automatic_first(draft.steps, here.seen.found)
        )
    if resources and isinstance(session.mesh.root.ca, ExistingCA):
        refuse_several_roots(known)
    preview(draft, known, session.kinds, session.world, heirs(draft.steps))
    refuse_all(draft.refusals)
    made = _assemble(session, known, draft, here.seen, here.recorded)
    return Planned(made, known, draft, here.seen, known.state, here.held)


def _rolled_out(session: Session, steps: Mapping[Key, Step], *, goes: bool) -> dict[Key, Step]:
    """The steps, cluster by cluster; a mesh that goes is deleted everywhere at once."""
    groups = waves(
        (cluster.name for cluster in session.mesh.clusters),
        session.mesh.rollout,
        {key.cluster for key in steps},
    )
    rollout = gate_of(session.mesh.rollout, to_confirm(tuple(steps.values()), session.kinds), goes=goes)
    return cluster_by_cluster(steps, session.kinds, groups, rollout, CHANGES if goes else GATED)


def decided(
    session: Session,
    resources: Mapping[Key, Resource[Any]],
    *,
    taken: frozenset[Key] = frozenset(),
    left: frozenset[Key] = frozenset(),
    removable: frozenset[str] = frozenset(),
    adopted_too: bool = False,
) -> Decided:
    """Read and decide each resource by itself; nobody is asked about a write, nothing is refused."""
    graph = edges(resources.values())
    order = ordered(graph)
    recorded = session.store.read(session.mesh.name)
    seen = _observe(session, resources, recorded)
    namespaces = {name: who.namespace for name, who in recorded.clusters.items()}
    namespaces |= {cluster.name: cluster.namespace for cluster in session.mesh.clusters}
    held = slices.read(session.mesh.name, namespaces, seen.snapshots)
    state = newer(recorded, {name: each for name, each in held.items() if each})
    check_identities(identities(session.mesh, seen.uids), state.clusters)
    if "crds" in removable:
        state = with_ours(state, session.kinds["crds"], seen.snapshots)
    if state.entries != recorded.entries:
        seen = _observe(session, resources, state, seen)
    now = session.world.clock.now()
    found = without_distributed(seen.found, resources, state)
    known = Known(
        resources,
        graph,
        order,
        found,
        state,
        now,
        taken,
        left | session.mesh.leave.keys(),
        session.mesh.sensitive,
    )
    draft = decide(known, session.kinds)
    decide_unwanted(known, session.kinds, draft, adopted_too=adopted_too)
    return Decided(known, draft, seen, recorded, held)


def _observe(
    session: Session, resources: Mapping[Key, Resource[Any]], state: State, before: Observation | None = None
) -> Observation:
    last = {key: entry.last for key, entry in state.entries.items()}
    clusters = tuple(cluster.name for cluster in session.mesh.clusters)
    return observe(
        places(resources, state),
        clusters,
        last,
        session.kinds,
        session.world,
        before.snapshots if before else {},
    )


def _assemble(session: Session, known: Known, draft: Draft, seen: Observation, recorded: State) -> Plan:
    anew = reissued(known, draft, session.kinds)
    steps = disclosed(in_order(draft.steps, known.order), anew)
    moved = to_confirm(steps, session.kinds)
    left = tuple(draft.left[key] for key in sorted(draft.left))
    return Plan(
        mesh=session.mesh.name,
        steps=steps,
        serial=known.state.serial,
        lineage=known.state.lineage,
        clusters={name: seen.uids.get(name, "") for name in sorted(seen.snapshots) if name != NO_CLUSTER},
        deferred=tuple(draft.deferred[key] for key in sorted(draft.deferred)),
        unchanged=len(draft.unchanged),
        warnings=(
            *_warnings(session, draft, known, recorded, seen),
            *(gap(draft.steps) if known.resources and session.mesh.automatic else gap_back(draft.steps)),
            *confirmation(moved),
            *asked_for(anew),
        ),
        digest=plan_digest(steps, left),
        confirm=tuple(dict.fromkeys((*moved, *(key.cluster for key in anew)))),
        left=left,
        recorded=tuple(sorted(draft.recorded)),
    )


def _warnings(session: Session, draft: Draft, known: Known, recorded: State, seen: Observation) -> list[str]:
    state = known.state
    told = {each.why for each in draft.deferred.values()}
    said = [
        f"cluster {name} did not answer: {'all of it is deferred' if why in told else why}"
        for name, why in sorted(seen.unreachable.items())
    ]
    said += warning(tuple(sorted(draft.recorded)))
    said += remarks(session.mesh)
    said += kept(known.found, known.left, draft.left)
    if state.serial > recorded.serial:
        said.append(
            f"{session.store.path.name} is at serial {recorded.serial}, the clusters are at {state.serial}: "
            "their state is used; `mesh state rebuild` writes it to the file"
        )
    return said


def _keep(steps: dict[Key, Step], known: Known, session: Session, removable: frozenset[str]) -> None:
    """Turn the deletion of what a kind keeps into forgetting it, with the reason why."""
    for key, step in steps.items():
        if step.action is Action.DELETE and key.kind not in removable:
            place = known.state.entries[key].last.place
            if why := ask.keeps(session.kinds[key.kind], place, session.world):
                steps[key] = replace(step, action=Action.FORGET, fields=(), why=why)
