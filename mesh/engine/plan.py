"""From wanted resources to a plan: read, decide, order, preview, refuse; the left half of the line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mesh.engine.observe import Observation, observe
from mesh.engine.orphans import with_ours
from mesh.engine.preview import preview
from mesh.engine.session import Decided, Desk, Planned
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
from mesh.state import slices
from mesh.state.identity import check_identities, identities
from mesh.state.lockfile import Lock, newer


def plan(
    desk: Desk,
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
    here = decided(desk, resources, taken=taken, left=left, removable=removable, adopted_too=adopted_too)
    known, draft = here.known, here.draft
    check_taken(taken, resources.keys() | known.lock.entries.keys())
    _keep(draft.steps, known, desk, removable)
    draft.steps = backwards(draft.steps, (cluster.name for cluster in desk.mesh.clusters))
    draft.steps = _rolled_out(desk, draft.steps, goes=not resources)
    if resources:
        draft.steps = (
            manual_first(draft.steps)
            if desk.mesh.automatic
            else automatic_first(draft.steps, here.seen.found)
        )
    if resources and isinstance(desk.mesh.root.ca, ExistingCA):
        refuse_several_roots(known)
    preview(draft, known, desk.kinds, desk.world, heirs(draft.steps))
    refuse_all(draft.refusals)
    made = _assemble(desk, known, draft, here.seen, here.recorded)
    return Planned(made, known, draft, here.seen, known.lock, here.held)


def _rolled_out(desk: Desk, steps: Mapping[Key, Step], *, goes: bool) -> dict[Key, Step]:
    """The steps, cluster by cluster; a mesh that goes is deleted everywhere at once."""
    groups = waves(
        (cluster.name for cluster in desk.mesh.clusters), desk.mesh.rollout, {key.cluster for key in steps}
    )
    rollout = gate_of(desk.mesh.rollout, to_confirm(tuple(steps.values()), desk.kinds), goes=goes)
    return cluster_by_cluster(steps, desk.kinds, groups, rollout, CHANGES if goes else GATED)


def decided(
    desk: Desk,
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
    recorded = desk.store.read(desk.mesh.name)
    seen = _observe(desk, resources, recorded)
    namespaces = {name: who.namespace for name, who in recorded.clusters.items()}
    namespaces |= {cluster.name: cluster.namespace for cluster in desk.mesh.clusters}
    held = slices.read(desk.mesh.name, namespaces, seen.snapshots)
    lock = newer(recorded, {name: each for name, each in held.items() if each})
    check_identities(identities(desk.mesh, seen.uids), lock.clusters)
    if "crds" in removable:
        lock = with_ours(lock, desk.kinds["crds"], seen.snapshots)
    if lock.entries != recorded.entries:
        seen = _observe(desk, resources, lock, seen)
    now = desk.world.clock.now()
    found = without_distributed(seen.found, resources, lock)
    known = Known(
        resources, graph, order, found, lock, now, taken, left | desk.mesh.leave.keys(), desk.mesh.sensitive
    )
    draft = decide(known, desk.kinds)
    decide_unwanted(known, desk.kinds, draft, adopted_too=adopted_too)
    return Decided(known, draft, seen, recorded, held)


def _observe(
    desk: Desk, resources: Mapping[Key, Resource[Any]], lock: Lock, before: Observation | None = None
) -> Observation:
    last = {key: entry.last for key, entry in lock.entries.items()}
    clusters = tuple(cluster.name for cluster in desk.mesh.clusters)
    return observe(
        places(resources, lock), clusters, last, desk.kinds, desk.world, before.snapshots if before else {}
    )


def _assemble(desk: Desk, known: Known, draft: Draft, seen: Observation, recorded: Lock) -> Plan:
    anew = reissued(known, draft, desk.kinds)
    steps = disclosed(in_order(draft.steps, known.order), anew)
    moved = to_confirm(steps, desk.kinds)
    left = tuple(draft.left[key] for key in sorted(draft.left))
    return Plan(
        mesh=desk.mesh.name,
        steps=steps,
        serial=known.lock.serial,
        lineage=known.lock.lineage,
        clusters={name: seen.uids.get(name, "") for name in sorted(seen.snapshots) if name != NO_CLUSTER},
        deferred=tuple(draft.deferred[key] for key in sorted(draft.deferred)),
        unchanged=len(draft.unchanged),
        warnings=(
            *_warnings(desk, draft, known, recorded, seen),
            *(gap(draft.steps) if known.resources and desk.mesh.automatic else gap_back(draft.steps)),
            *confirmation(moved),
            *asked_for(anew),
        ),
        digest=plan_digest(steps, left),
        confirm=tuple(dict.fromkeys((*moved, *(key.cluster for key in anew)))),
        left=left,
        recorded=tuple(sorted(draft.recorded)),
    )


def _warnings(desk: Desk, draft: Draft, known: Known, recorded: Lock, seen: Observation) -> list[str]:
    lock = known.lock
    told = {each.why for each in draft.deferred.values()}
    said = [
        f"cluster {name} did not answer: {'all of it is deferred' if why in told else why}"
        for name, why in sorted(seen.unreachable.items())
    ]
    said += warning(tuple(sorted(draft.recorded)))
    said += remarks(desk.mesh)
    said += kept(known.found, known.left, draft.left)
    if lock.serial > recorded.serial:
        said.append(
            f"{desk.store.path.name} is at serial {recorded.serial}, the clusters are at {lock.serial}: "
            "their state is used; `mesh state rebuild` writes it to the file"
        )
    return said


def _keep(steps: dict[Key, Step], known: Known, desk: Desk, removable: frozenset[str]) -> None:
    """Turn the deletion of what a kind keeps into forgetting it, with the reason why."""
    for key, step in steps.items():
        if step.action is Action.DELETE and key.kind not in removable:
            place = known.lock.entries[key].last.place
            if why := desk.kinds[key.kind].keeps(place, desk.world):
                steps[key] = replace(step, action=Action.FORGET, fields=(), why=why)
