"""From a session to the facts that checks look at: the plan, its rights and what the clusters hold."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace

from mesh.engine import verbs as engine
from mesh.engine.session import Planned, Session
from mesh.errors import MeshError
from mesh.istio.addresses import connection_key
from mesh.model import Attrs, Key, Plan, Unread
from mesh.model.spec import Mesh
from mesh.queries.access.denied import denied, unknown_rights
from mesh.queries.checks import run
from mesh.queries.checks.facts import ClusterFacts, MeshFacts
from mesh.queries.checks.model import CheckReport, Phase, Severity
from mesh.queries.checks.read.first import read_facts
from mesh.queries.current import Current, current, current_of
from mesh.queries.states import ResourceState
from mesh.queries.status.read import status_of
from mesh.state import slices
from mesh.state.lockfile import State, fresh
from mesh.world.snapshot import Snapshot

ON_REQUEST = f"it takes long: ask for it with `mesh check --only {run.on_request('analysis')}`"


def check(
    session: Session,
    plan: Callable[[], Planned | Unread],
    *,
    phase: Phase | None,
    only: Collection[str],
    skipped: Collection[str],
) -> tuple[MeshFacts, CheckReport]:
    """Read what the checks look at, and ask those that are wanted; `plan` is called if one needs a plan."""
    checks = run.chosen(phase, only, skipped)
    needs = {each.needs for each in checks if not each.on_request or each.id in only}
    planned = plan() if "plan" in needs else Unread("no check asked for a plan")
    seen = scene(session, planned, dry_runs="dry runs" in needs)
    if "analysis" in needs:
        seen = replace(seen, analysis=_analysis(session))
    if "istioctl" in needs:
        seen = replace(seen, istioctl=_istioctl(session))
    return seen, run.run(seen, checks)


def try_plan(session: Session) -> Planned | Unread:
    """Plan, or say why that cannot be done now: the other checks are worth asking all the same."""
    try:
        return engine.plan(session)
    except MeshError as error:
        return Unread(f"there is no plan: {error.message}")


def before_apply(session: Session, planned: Planned) -> None:
    """Refuse an apply that the pre-flight checks find errors in; nothing was written yet."""
    if planned.plan.steps:
        run.refuse(run.before_apply(scene(session, planned), planned.plan.skipped_checks))


def between(
    session: Session,
    clusters: tuple[str, ...],
    pending: Collection[Key],
    users: Collection[Key],
    *,
    skipped: Collection[str],
) -> str:
    """What the mid-flight checks find wrong in some clusters, as one line; "" if the next may follow.

    What the run is yet to change cannot be right before; a cluster that left the mesh has nothing to pass.
    In other clusters only `users` count: what worked before and needs what was changed.
    """
    checks = run.chosen(Phase.MID, (), skipped)
    # Unless a check needs them: each look would wait for a webhook that does not answer.
    dry_runs = any(each.needs == "dry runs" for each in checks)
    seen = scene(session, Unread("it is under way"), dry_runs=dry_runs)
    for name in seen.clusters.keys() & set(clusters):
        if why := seen.clusters[name].unreachable:
            return f"{name} does not answer: {why}"
    report = run.run(seen, checks)
    return "; ".join(
        f"{each.check.id} {each.cluster}: {finding.says}"
        for each in report.failed(Severity.ERROR)
        for finding in each.findings
        if finding.about in users or (each.cluster in clusters and finding.about not in pending)
    )


def scene(session: Session, planned: Planned | Unread, *, dry_runs: bool = True) -> MeshFacts:
    """Return the facts that the checks look at, from the same snapshots as the plan."""
    if isinstance(planned, Planned):
        seen, state, held = current_of(session, planned), planned.state, planned.held
        plan: Plan | Unread = planned.plan
        rights, unknown = denied(session, planned), unknown_rights(session, planned)
    else:
        seen, plan, rights, unknown = current(session), planned, {}, {}
        state, held = _recorded(session), _held(session, seen.snapshots)
    recorded = {key: entry.last.place for key, entry in state.entries.items()}
    facts = read_facts(session.mesh, seen.snapshots, recorded, session.kinds, dry_runs=dry_runs)
    return MeshFacts(
        session.mesh,
        {
            name: replace(
                found,
                denied=rights.get(name, ()),
                unknown_rights=unknown.get(name, ()),
                remotes=_remotes(session.mesh, found, seen),
            )
            for name, found in facts.items()
        },
        state,
        session.world.clock.now(),
        plan,
        held,
        Unread(ON_REQUEST),
        states=seen.states,
        status=status_of(session, seen),
    )


def _remotes(mesh: Mesh, facts: ClusterFacts, seen: Current) -> Mapping[str, str | Unread]:
    """Return what is wrong with the remote secret of each link of an upstream mesh, "" for nothing."""
    if mesh.distribution != "upstream":
        return {}
    targets = [link.target for link in mesh.links if link.source == facts.name]
    return {name: _said(seen.states[connection_key(mesh, facts.name, name)]) for name in targets}


def _said(state: ResourceState) -> str | Unread:
    """Return the trouble of a link, or `Unread` if the other API server did not judge its token."""
    if state.unread:
        return Unread(state.unread)
    unknown = state.live.status.get("unknown") if state.live else ""
    return Unread(str(unknown)) if unknown else state.trouble


def _recorded(session: Session) -> State:
    try:
        return session.store.read(session.mesh.name)
    except MeshError:
        return fresh(session.mesh.name)


def _held(session: Session, snapshots: Mapping[str, Snapshot]) -> Mapping[str, State | None]:
    namespaces = {cluster.name: cluster.namespace for cluster in session.mesh.clusters}
    return slices.readable(slices.read(session.mesh.name, namespaces, snapshots))


def _analysis(session: Session) -> Mapping[str, tuple[Attrs, ...]] | Unread:
    from mesh.world.istioctl import analyze

    contexts = {each.name: (each.context, each.kubeconfig) for each in session.mesh.clusters}
    try:
        return {name: analyze(*where, session.world.env) for name, where in contexts.items()}
    except MeshError as error:
        return Unread(error.message)


def _istioctl(session: Session) -> str | Unread:
    from mesh.world.istioctl import version

    try:
        return version(session.world.env)
    except MeshError as error:
        return Unread(error.message)
