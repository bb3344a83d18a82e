"""The verb plan, once the resources are known: read, decide, order, preview, refuse."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from mesh.engine.fingerprints import keys_for
from mesh.engine.observe import Observation, observe
from mesh.engine.orphans import with_orphans
from mesh.engine.plan_warnings import plan_warnings
from mesh.engine.preview import preview
from mesh.engine.review import tools
from mesh.engine.session import Decided, Planned, Session
from mesh.engine.strays import strays
from mesh.model import NO_CLUSTER, Action, Found, Key, Plan, Resource, Step, Unread
from mesh.model.graph import edges, ordered, reversed_edges
from mesh.model.spec import ExistingCA
from mesh.planner.confirmation import confirmation, to_confirm
from mesh.planner.decide import decide
from mesh.planner.decisions import Decisions, Steps
from mesh.planner.digest import in_order, plan_digest
from mesh.planner.downgrade import backwards
from mesh.planner.fold import names
from mesh.planner.guards import refuse_protected
from mesh.planner.inputs import Inputs, PlanOptions, places
from mesh.planner.link_switch import (
    automatic_first,
    blocked_by_peers,
    manual_first,
    without_distributed,
)
from mesh.planner.ownership import check_taken
from mesh.planner.prune import prune
from mesh.planner.refusals import refuse_all, refuse_several_roots
from mesh.planner.reissue import asked_for, disclosed, reissued
from mesh.planner.rollout import CHANGES, GATED, cluster_by_cluster, gate_of, waves
from mesh.planner.selection import Chosen, check_patterns, choose, narrowed, warnings
from mesh.sdk import ask
from mesh.state import slices
from mesh.state.identity import check_identities, identities
from mesh.state.lockfile import State
from mesh.state.merge import newer
from mesh.state.own_part import Local, own_parts
from mesh.state.restored import exists_again, restored, told, with_restored, without_removed
from mesh.world import trace

Resources = Mapping[Key, Resource[Any]]
Pass = Callable[[Steps], Steps]


def plan(session: Session, resources: Resources, options: PlanOptions) -> Planned:
    """Plan the way to these resources, and away from what the state holds beside them.

    Raises RefusedError with every refusal at once.
    """
    here = decided(session, resources, options)
    inputs, decisions = here.inputs, here.decisions
    check_taken(options.take, resources.keys() | inputs.state.entries.keys())
    chosen = _chosen(session, inputs, decisions)
    decisions = narrowed(decisions, chosen.keys) if options.selection else decisions
    for each in passes(session, inputs):
        decisions = decisions.with_steps(each(decisions.steps))
    if not options.destroy and isinstance(session.mesh.root.ca, ExistingCA):
        refuse_several_roots(inputs)
    decisions = preview(decisions, inputs, session.kinds, session.world, blocked_by_peers(decisions.steps))
    trace.decisions(decisions)
    refuse_all(decisions.refusals)
    here = replace(here, decisions=decisions)
    made = _assemble(session, here)
    said = warnings(options.selection, chosen, decisions.steps.keys(), decisions.aside)
    made = replace(made, warnings=(*said, *made.warnings))
    refuse_protected(made.steps, session.mesh.prevent_destroy)
    return Planned(made, inputs, decisions, here.observation, inputs.state, here.held)


def _chosen(session: Session, inputs: Inputs, decisions: Decisions) -> Chosen:
    """Return the selected resources, with all that must happen before their steps."""
    known = inputs.resources.keys() | inputs.state.entries.keys()
    selection = inputs.options.selection
    if not selection:
        return Chosen(frozenset(known))
    check_patterns(selection.targets, "--target", known)
    check_patterns(selection.excludes, "--exclude", known)
    # Beside the needs of the file: removals come after their users, a downgrade turns the order round, and a
    # switch of links has an order of its own. The order of clusters in a rollout does not count.
    gone = {key: entry.needs for key, entry in inputs.unwanted().items()}
    needs = {**inputs.edges, **reversed_edges(gone)}
    steps = decisions.steps
    for each in orders(session, inputs):
        steps = each(steps)
    return choose(
        selection,
        known,
        {key: (needs.get(key, frozenset()) | _needs_of(steps, key)) & known for key in known},
    )


def _needs_of(steps: Steps, key: Key) -> frozenset[Key]:
    return steps[key].needs if key in steps else frozenset()


def passes(session: Session, inputs: Inputs) -> tuple[Pass, ...]:
    """Return what orders the steps, each from steps to steps."""
    # First what is kept is no longer deleted, so that nothing waits for a deletion that will not happen. A
    # downgrade then turns the order inside each cluster round; the rollout puts the clusters one behind the
    # other on top of that. A switch of links comes last: it must see every other need to add its own.
    keep, turned, *linked = orders(session, inputs)
    return (keep, turned, partial(_rolled_out, session, inputs), *linked)


def orders(session: Session, inputs: Inputs) -> tuple[Pass, ...]:
    """Return the passes without the one that puts clusters one behind the other."""
    linked = manual_first if session.mesh.automatic else partial(automatic_first, found=inputs.found)
    return (
        partial(_keep, session, inputs),
        lambda steps: backwards(steps, (cluster.name for cluster in session.mesh.clusters)),
        *(() if inputs.options.destroy else (linked,)),
    )


def _keep(session: Session, inputs: Inputs, steps: Steps) -> Steps:
    """Turn the deletion of what its kind keeps into forgetting it, with the reason."""

    def each(key: Key, step: Step) -> Step:
        if step.action is not Action.DELETE or key.kind in inputs.options.removable:
            return step
        why = ask.keeps(session.kinds[key.kind], inputs.state.entries[key].last.place, session.world)
        return replace(step, action=Action.FORGET, fields=(), why=why) if why else step

    return {key: each(key, step) for key, step in steps.items()}


def _rolled_out(session: Session, inputs: Inputs, steps: Steps) -> Steps:
    """Put the steps in order cluster by cluster; a destroy deletes everywhere at once."""
    destroy = inputs.options.destroy
    groups = waves(
        (cluster.name for cluster in session.mesh.clusters),
        session.mesh.rollout,
        {key.cluster for key in steps},
    )
    moved = to_confirm(steps.values(), session.kinds)
    rollout = gate_of(session.mesh.rollout, moved, destroy=destroy)
    return cluster_by_cluster(steps, session.kinds, groups, rollout, CHANGES if destroy else GATED)


def decided(session: Session, resources: Resources, options: PlanOptions) -> Decided:
    """Read the clusters and decide each resource by itself; nothing is ordered, tried or refused."""
    here = _read(session, resources, options)
    return replace(here, decisions=prune(decide(here.inputs, session.kinds), here.inputs, session.kinds))


def _read(session: Session, resources: Resources, options: PlanOptions) -> Decided:
    """Read everything that decisions rest on; nothing is decided yet."""
    # The clusters are read before it is known which state is the newest, since their copies of the state are
    # part of what is read. Only if that brings new addresses is a second, small read needed. A cluster that
    # turns out to be another one than recorded is refused before anything is decided about it.
    graph = edges(resources.values())
    order = ordered(graph)
    recorded = session.store.read(session.mesh.name)
    seen = _observe(session, resources, recorded)
    copies = slices.read(session.mesh.name, _namespaces(session, recorded), seen.snapshots)
    held, damaged = slices.readable(copies), slices.damaged(copies)
    local = Local(recorded, identities(session.mesh, seen.uids), seen.uids)
    own = own_parts(held, local)
    state = newer(recorded, own.parts)
    check_identities(local.file, state.clusters, seen.uids)
    old = restored(recorded, own.parts)
    state = with_restored(state, old, resources)
    state = with_orphans(state, (session.kinds[kind] for kind in options.removable), seen.snapshots)
    if state.entries != recorded.entries:
        seen = _observe(session, resources, state, seen)
    seen = seen.without(damaged)
    again = exists_again(state, seen.found)
    state = without_removed(state, seen.found, resources)
    inputs = Inputs(
        resources,
        graph,
        order,
        {**without_distributed(_identified(seen, state), resources, state), **session.values()},
        state,
        session.world.clock.now(),
        replace(options, leave=options.leave | session.mesh.leave.keys()),
        session.mesh.sensitive,
    )
    marked = strays(state.mesh, session.kinds, seen.snapshots, places(resources, state), session.world)
    said = (*own.said, *told(recorded, old), *again, *marked)
    return Decided(inputs, Decisions(), seen, recorded, held, said)


def _identified(seen: Observation, state: State) -> Mapping[Key, Found]:
    """Return what was found; nothing counts as read in a cluster that may be another one."""
    unknown = {name: why for name, why in seen.unreachable.items() if name in state.clusters}
    return {
        key: Unread(
            f"kube-system could not be read, so that the cluster is not known: {unknown[key.cluster]}"
        )
        if key.cluster in unknown and not isinstance(found, Unread)
        else found
        for key, found in seen.found.items()
    }


def _namespaces(session: Session, recorded: State) -> dict[str, str]:
    """Return istiod's namespace in each cluster of the file or of the state."""
    namespaces = {name: who.namespace for name, who in recorded.clusters.items()}
    return namespaces | {cluster.name: cluster.namespace for cluster in session.mesh.clusters}


def _observe(
    session: Session, resources: Resources, state: State, before: Observation | None = None
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


def _assemble(session: Session, here: Decided) -> Plan:
    inputs, decisions, seen = here.inputs, here.decisions, here.observation
    changed = reissued(inputs, decisions, session.kinds)
    steps = disclosed(in_order(decisions.steps, inputs.order), changed)
    moved = to_confirm(steps, session.kinds)
    left = tuple(decisions.left[key] for key in sorted(decisions.left))
    return Plan(
        mesh=session.mesh.name,
        steps=steps,
        serial=inputs.state.serial,
        lineage=inputs.state.lineage,
        clusters={name: seen.uids.get(name, "") for name in sorted(seen.snapshots) if name != NO_CLUSTER},
        deferred=tuple(decisions.deferred[key] for key in sorted(decisions.deferred)),
        unchanged=len(decisions.unchanged),
        warnings=(
            *plan_warnings(session, here),
            *confirmation(moved),
            *asked_for(changed),
        ),
        digest=plan_digest(steps, left, keys_for(steps, seen.snapshots)),
        confirm=tuple(dict.fromkeys((*moved, *(key.cluster for key in changed)))),
        left=left,
        recorded=tuple(sorted(decisions.from_state)),
        unread=_unread(session, here),
        destroying=inputs.options.destroy,
        tools=tools(session, steps),
        entries=len(inputs.state.entries),
        fleet=_fleet(session),
    )


def _fleet(session: Session) -> dict[str, dict[str, str]]:
    """Return what each cluster of the mesh file is called, by role, with the address of its API server."""
    kubes = session.world.kubes
    return {
        name: {**roles, **({"server": kubes[name].server} if name in kubes else {})}
        for name, roles in names(session.mesh).items()
    }


def _unread(session: Session, here: Decided) -> dict[str, str]:
    """Return the clusters of which it is not known what mesh has in them, and why."""
    seen, namespaces = here.observation, _namespaces(session, here.inputs.state)
    places = {name: each for name, each in namespaces.items() if name in seen.snapshots}
    return {**slices.unread(places, seen.snapshots), **seen.unrecorded, **seen.unreachable}
