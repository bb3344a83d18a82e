"""From a desk to a scene: the plan, its rights and the facts, read once and shared; then the checks."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace

from mesh.engine import verbs as engine
from mesh.engine.session import Desk, Planned
from mesh.errors import MeshError
from mesh.model import Attrs, Key, Plan, Unread
from mesh.queries.access.denied import Denied, denied
from mesh.queries.checks import run
from mesh.queries.checks.facts import Facts, Scene
from mesh.queries.checks.model import Phase, Report, Severity
from mesh.queries.checks.read.first import read_facts
from mesh.state import slices
from mesh.state.lockfile import Lock, fresh
from mesh.world import Snapshot

ON_REQUEST = "it takes long: ask for it with `mesh check --only Q21`"


def check(
    desk: Desk,
    plan: Callable[[], Planned | Unread],
    *,
    phase: Phase | None,
    only: Collection[str],
    skipped: Collection[str],
) -> tuple[Scene, Report]:
    """Read what the checks look at, and ask those that are wanted; `plan` is called if one needs a plan."""
    checks = run.chosen(phase, only, skipped)
    planned = plan() if any(each.planned for each in checks) else Unread("no check asked for a plan")
    seen = scene(desk, planned)
    if "Q21" in only:
        seen = replace(seen, analysis=_analysis(desk))
    if any(each.id == "P34" for each in checks):
        seen = replace(seen, istioctl=_istioctl(desk))
    return seen, run.run(seen, checks)


def try_plan(desk: Desk) -> Planned | Unread:
    """Plan, or say why that cannot be done now: the other checks are worth asking all the same."""
    try:
        return engine.plan(desk)
    except MeshError as error:
        return Unread(f"there is no plan: {error.message}")


def before_apply(desk: Desk, planned: Planned) -> None:
    """Refuse an apply that the pre-flight checks find errors in; nothing was written yet."""
    if planned.plan.steps:
        run.refuse(run.before_apply(scene(desk, planned), planned.plan.skipped_checks))


def between(
    desk: Desk,
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
    seen = scene(desk, Unread("it is under way"))
    for name in seen.clusters.keys() & set(clusters):
        if why := seen.clusters[name].unreachable:
            return f"{name} does not answer: {why}"
    report = run.run(seen, run.chosen(Phase.MID, (), skipped))
    return "; ".join(
        f"{each.check.id} {each.cluster}: {finding.says}"
        for each in report.failed(Severity.ERROR)
        for finding in each.findings
        if finding.about in users or (each.cluster in clusters and finding.about not in pending)
    )


def scene(desk: Desk, planned: Planned | Unread) -> Scene:
    """The mesh as checks see it."""
    if isinstance(planned, Planned):
        snapshots, lock, held = planned.observation.snapshots, planned.lock, planned.held
        plan: Plan | Unread = planned.plan
        rights = denied(desk, planned)
    else:
        snapshots = {each.name: Snapshot(each.name, desk.world) for each in desk.mesh.clusters}
        lock, held, plan = _recorded(desk), _held(desk, snapshots), planned
        rights = {}
    recorded: dict[str, frozenset[str]] = {
        cluster.name: frozenset(str(key) for key in lock.entries if key.cluster == cluster.name)
        for cluster in desk.mesh.clusters
    }
    facts = read_facts(desk.mesh, snapshots, recorded, desk.kinds)
    return Scene(
        desk.mesh,
        {name: _with(found, rights) for name, found in facts.items()},
        lock,
        desk.world.clock.now(),
        plan,
        held,
        Unread(ON_REQUEST),
    )


def _with(facts: Facts, rights: Denied) -> Facts:
    return replace(facts, denied=rights.get(facts.name, ()))


def _recorded(desk: Desk) -> Lock:
    try:
        return desk.store.read(desk.mesh.name)
    except MeshError:
        return fresh(desk.mesh.name)


def _held(desk: Desk, snapshots: Mapping[str, Snapshot]) -> Mapping[str, Lock | None]:
    namespaces = {cluster.name: cluster.namespace for cluster in desk.mesh.clusters}
    try:
        return slices.read(desk.mesh.name, namespaces, snapshots)
    except MeshError:
        return {}


def _analysis(desk: Desk) -> Mapping[str, tuple[Attrs, ...]] | Unread:
    from mesh.world.istioctl import analyze

    contexts = {each.name: (each.context, each.kubeconfig) for each in desk.mesh.clusters}
    try:
        return {name: analyze(*where, desk.world.env) for name, where in contexts.items()}
    except MeshError as error:
        return Unread(error.message)


def _istioctl(desk: Desk) -> str | Unread:
    from mesh.world.istioctl import version

    try:
        return version(desk.world.env)
    except MeshError as error:
        return Unread(error.message)
