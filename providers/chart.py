"""Kind `chart`: a Helm release and the workloads that it brings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from mesh.errors import KubeError
from mesh.managed import MESH_LABEL
from mesh.merge import merge
from mesh.model import READY, Attrs, Found, Key, Live, Place, Ready, Unread, not_yet
from mesh.provider import OPEN, Last, Preview, Provider
from mesh.rendering import changes, conflicts, placeheld
from mesh.sensitive import mask, reveal, secrets_in
from mesh.spec import Component
from mesh.workloads import of_release, why_not
from mesh.world import HelmJob, Object, Snapshot, World
from mesh.world.releases import LABELS, ReleaseView, newest, unlock
from mesh.world.resources import DAEMON_SET, DEPLOYMENT, NODE, POD, SECRET

NOT_SUPERSEDED = "status!=superseded"
"""One LIST of Secrets for all kinds: leaves out nothing but Helm's old revisions."""

DEPLOYED = "deployed"


@dataclass(frozen=True, slots=True)
class ChartSpec:
    """A release that must be there. `sensitive` are dotted paths of values that are secrets."""

    mesh: str
    component: Component
    job: HelmJob
    sensitive: tuple[str, ...] = ()


class ChartProvider(Provider[ChartSpec]):
    """A release: its chart, version, values and status; ready when its workloads are."""

    kind = "chart"
    disruptive = True

    def wanted(self, spec: ChartSpec, live: Found, last: Last | None) -> Attrs:
        """Our values over those that others set on the release."""
        ours = {"values": mask(spec.job.values, spec.sensitive)}
        theirs = {"values": live.attrs["values"]} if isinstance(live, Live) else {}
        values = merge(ours, theirs, last.fields if last else ())["values"]
        fixed = {"chart": spec.component, "status": DEPLOYED, "values": values}
        # A folder has the version that is in it: helm is not told one, and none can differ.
        version = spec.job.version or (live.attrs["version"] if isinstance(live, Live) else "")
        return {**fixed, "version": version} if version else fixed

    def refuse(self, spec: ChartSpec, live: Found, last: Last | None) -> str:
        """Do not touch a release on which somebody else's helm is at work, or died."""
        view = _view(live)
        if view is None or not view.pending or (last and last.status == OPEN):
            return ""
        return (
            f"release {spec.job.release} in {spec.job.namespace} is {view.status} since "
            f"{view.newest.last_deployed} (revision {view.newest.revision}), and not by a run of this mesh: "
            "wait for that helm to end; if it was killed, run `mesh recover` for it"
        )

    def ready(self, spec: ChartSpec, live: Live) -> Ready:
        """Every workload does what was last asked of it."""
        del spec
        troubles = live.status["troubles"]
        return not_yet("; ".join(troubles)) if troubles else READY

    def observe(self, places: Mapping[Key, Place], snapshot: Snapshot) -> Mapping[Key, Found]:
        """Decode the releases of each namespace, and judge their workloads from the same bulk read."""
        found: dict[Key, Found] = {}
        for namespace in sorted({place.namespace for place in places.values()}):
            here = {key: place for key, place in places.items() if place.namespace == namespace}
            try:
                found |= _releases(here, namespace, snapshot)
            except KubeError as error:
                found |= dict.fromkeys(here, Unread(error.message))
        return found

    def owned(self, mesh: str, snapshot: Snapshot) -> Mapping[Key, Place]:
        """Every release that we labelled, by its chart's name, which is what its address ends in."""
        views = newest(snapshot.list(SECRET, labels=f"{LABELS},{MESH_LABEL}={mesh}"))
        return {
            Key(self.kind, snapshot.cluster, view.newest.chart): Place(namespace, name)
            for (namespace, name), view in views.items()
        }

    def preview(self, spec: ChartSpec, key: Key, live: Live | None, world: World) -> Preview:
        """Render the chart, compare it with what is deployed, and dry-run what changes."""
        kube, helm = world.kube(key.cluster), world.helm(key.cluster)
        version = str(kube.get_path("/version")["gitVersion"])
        job = replace(spec.job, values=placeheld(spec.job.values))
        new = helm.template(job, kube_version=version, upgrade=live is not None)
        view = _view(live)
        old = view.deployed.objects() if view and view.deployed else []
        secrets = secrets_in(mask(spec.job.values, spec.sensitive))
        notes, held = conflicts(kube, job, new, old) if old else ((), ())
        return Preview(notes, changes(old, new, secrets), held)

    def busy(self, key: Key, place: Place, world: World) -> str:
        """A helm of an interrupted run may still be at work on the release: let it end."""
        child = world.helm(key.cluster).at_work(place.name, place.namespace)
        return f"{child} is still at work on it" if child else ""

    def create(self, spec: ChartSpec, key: Key, world: World) -> None:
        """Install it; `helm upgrade --install` finds a release that a run before this one began."""
        world.helm(key.cluster).upgrade(spec.job)

    def update(self, spec: ChartSpec, key: Key, live: Live, last: Last | None, world: World) -> None:
        """Upgrade it, after a release left pending by a run of ours was set free."""
        kube, helm = world.kube(key.cluster), world.helm(key.cluster)
        view = _view(live)
        assert view is not None
        if view.pending:
            unlock(kube, view.secret)
        config = view.deployed.config if view.deployed else {}
        theirs = {"values": dict(config)}
        merged = merge({"values": spec.job.values}, theirs, last.fields if last else ())["values"]
        helm.upgrade(replace(spec.job, values=reveal(merged)), force_conflicts=True)

    def delete(self, key: Key, place: Place, live: Live, last: Last, world: World) -> tuple[str, ...]:
        """Uninstall it; its CRDs stay, as its chart says."""
        del live, last
        world.helm(key.cluster).uninstall(place.name, place.namespace)
        return ()


def _releases(places: Mapping[Key, Place], namespace: str, snapshot: Snapshot) -> dict[Key, Found]:
    views = views_in(snapshot, namespace)
    found: dict[Key, Found] = {}
    for key, place in places.items():
        view = views.get((namespace, place.name))
        found[key] = _live(view, place, snapshot) if view else None
    return found


def views_in(snapshot: Snapshot, namespace: str) -> Mapping[tuple[str, str], ReleaseView]:
    """Return the releases of a namespace, decoded once a run."""

    def decode() -> Mapping[tuple[str, str], ReleaseView]:
        return newest(snapshot.list(SECRET, namespace=namespace, labels=NOT_SUPERSEDED))

    views: Mapping[tuple[str, str], ReleaseView] = snapshot.remember(("releases", namespace), decode)
    return views


def _live(view: ReleaseView, place: Place, snapshot: Snapshot) -> Live:
    shown = view.deployed or view.newest
    attrs = {
        "chart": shown.chart,
        "version": shown.chart_version,
        "status": view.status,
        "values": mask(shown.config),
    }
    return Live(
        attrs=attrs,
        token=view.token,
        uid=view.newest.uid,
        outputs={"revision": view.newest.revision, "appVersion": shown.app_version},
        status={"view": view, "troubles": _troubles(place, snapshot)},
        owner=view.secret["metadata"]["labels"].get(MESH_LABEL)
        or f"helm release {place.namespace}/{place.name}",
    )


def _troubles(place: Place, snapshot: Snapshot) -> list[str]:
    """Why workloads of a release are not ready; pods are read only of those."""

    def pods(workload: Object) -> list[Object]:
        labels = ",".join(f"{k}={v}" for k, v in workload["spec"]["selector"]["matchLabels"].items())
        return snapshot.list(POD, namespace=place.namespace, labels=labels)

    workloads = [
        {**obj, "kind": resource.kind}
        for resource in (DEPLOYMENT, DAEMON_SET)
        for obj in snapshot.list(resource, namespace=place.namespace)
    ]
    mine = of_release(workloads, place.name, place.namespace)
    nodes = len(snapshot.list(NODE, metadata_only=True)) if mine else 0
    return [why for obj in mine if (why := why_not(obj, nodes, pods))]


def _view(found: Found) -> ReleaseView | None:
    return found.status["view"] if isinstance(found, Live) else None
