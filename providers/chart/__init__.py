"""Kind `chart`: a Helm release and its workloads."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from mesh.model import READY, Action, Attrs, Found, Key, Live, Place, Ready, Resource, Step, Touch, not_yet
from mesh.model.mask import mask, reveal
from mesh.model.spec import COMPONENTS, Ignore, Mesh
from mesh.providers.chart.archive import UnsafeChartError, is_whole
from mesh.providers.chart.drift import drifted, ignored, objects, sides
from mesh.providers.chart.give_back import preview_back, returned
from mesh.providers.chart.locator import any_release, with_roots
from mesh.providers.chart.management_plane import prepared, refuse_platform
from mesh.providers.chart.observe import all_views, read, view_of, views_in
from mesh.providers.chart.preview import config_of, job_of, preview_upgrade, refuse_more
from mesh.providers.chart.put_back import put_back
from mesh.providers.chart.refusals import elsewhere, pending, refuse_way, revisioned, several
from mesh.providers.chart.rights import changed, compared, release
from mesh.providers.chart.spec import ChartSpec
from mesh.providers.chart.trust import ISTIOD, other_identities, refuse_reissue, unpublished
from mesh.providers.chart.values import hidden_of, merged, theirs_only, undisturbed
from mesh.sdk.capabilities import (
    Busy,
    Confirmed,
    Disruptive,
    Masked,
    Permitted,
    Returnable,
    Scripted,
    Shown,
    Tolerant,
    Traced,
)
from mesh.sdk.contract import OPEN, Last, Preview, Provider
from mesh.sdk.document import Document
from mesh.sdk.managed_fields import MESH_LABEL
from mesh.sdk.rights import READ, Right, rights
from mesh.sdk.script import Commands, Stage
from mesh.world import World
from mesh.world.helm.releases import LABELS, NOT_SUPERSEDED, newest, unlock
from mesh.world.resources import NODE, SECRET
from mesh.world.snapshot import Snapshot

__all__ = [
    "NOT_SUPERSEDED",
    "ChartProvider",
    "ChartSpec",
    "all_views",
    "any_release",
    "views_in",
    "with_roots",
]

DEPLOYED = "deployed"


class ChartProvider(
    Provider[ChartSpec],
    Returnable,
    Confirmed[ChartSpec],
    Disruptive,
    Busy,
    Masked[ChartSpec],
    Traced,
    Tolerant[ChartSpec],
    Permitted,
    Shown[ChartSpec],
    Scripted[ChartSpec],
):
    """A release: its chart, version, values and status; it is ready when its workloads are."""

    kind = "chart"
    keeps_uid = False
    stage = Stage.RELEASES
    rendered = frozenset({("objects",)})

    def disrupts(self, key: Key) -> bool:
        """Return whether it is a part of Istio: these carry traffic, a management plane does not."""
        return key.name in COMPONENTS

    def seen(self, spec: ChartSpec, live: Live) -> Attrs:
        """Return the live attrs, with the values masked that the file calls sensitive."""
        attrs = self.hidden(live.attrs, spec.sensitive)
        return {**attrs, **objects(sides(live, attrs["values"], spec.ignore)[0])}

    def hidden(self, attrs: Attrs, sensitive: tuple[str, ...]) -> Attrs:
        """Return the attrs with the values masked that the file calls sensitive, whatever their names."""
        kept = {name: value for name, value in attrs.items() if name != "objects"}
        return {**kept, "values": mask(attrs["values"], sensitive)}

    def wanted(self, spec: ChartSpec, live: Found, last: Last | None) -> Attrs:
        """Return the values of the file over those that other owners set on the release."""
        ours = mask(spec.job.values, {*spec.sensitive, *hidden_of(last)})
        theirs = self.seen(spec, live)["values"] if isinstance(live, Live) else {}
        # An archive has the version that is in it: helm gets none, and none can differ.
        version = spec.job.version or (live.attrs["version"] if isinstance(live, Live) else "")
        values = merged(ours, theirs, last)
        if (
            spec.adopt
            and not spec.reissues
            and isinstance(live, Live)
            and _is_whole(live, version, spec.ignore)
        ):
            values = undisturbed(values, theirs, last)
        fixed = {"chart": spec.component, "status": DEPLOYED, "values": values}
        if isinstance(live, Live):
            fixed |= objects(sides(live, theirs, spec.ignore)[1])
        return {**fixed, "version": version} if version else fixed

    def without(self, live: Live, last: Last) -> Attrs:
        """Return the release with the values of its owner only; unchanged if its chart is not available."""
        view = view_of(live)
        if view and view.working and not is_whole(view.working):
            return live.attrs
        return {**live.attrs, "values": theirs_only(live.attrs["values"], last)}

    def ignored(self, spec: ChartSpec, live: Live) -> Iterator[str]:
        """Yield the fields of its objects that differ and that the mesh file ignores, with both values."""
        for each, rule in ignored(live, spec.ignore):
            who = f", written by {each.touch.manager}" if each.touch else ""
            yield f"{each.said} differs from the release{who}; ignored ({rule.origin})"

    def refuse(self, spec: ChartSpec, live: Found, last: Last | None) -> str:
        """Refuse several releases, a release that helm works on, and a version that cannot be reached."""
        view = view_of(live)
        if not isinstance(live, Live):
            return spec.missing
        if view is None:  # this identity may not read it
            return _refuse_way(spec, live)
        if view.pending and not (last and last.status == OPEN):
            return pending(view)
        if others := live.status["others"]:
            return several(spec.component, view, others)
        if spec.adopt and view.newest.namespace != spec.job.namespace:
            return elsewhere(spec.component, view, spec.job.namespace, is_istio=not spec.missing)
        if spec.missing:
            return refuse_platform(spec, live, view)
        if why := revisioned(spec.component, view, self.wanted(spec, live, last)["values"]):
            return why
        if last is None and not spec.reissues and (why := refuse_reissue(spec.job.values, view)):
            return why
        return _refuse_way(spec, live)

    def reissues(self, spec: ChartSpec, live: Live) -> str:
        """Return how the trust domain changes: it is in every identity that istiod issues."""
        view = view_of(live)
        return other_identities(spec.job.values, view) if view and spec.component == ISTIOD else ""

    def ready(self, spec: ChartSpec, live: Live) -> Ready:
        """Return whether every workload has rolled out, and istiod publishes the right root of trust."""
        troubles = list(live.status["troubles"])
        if (status := live.attrs.get("status", DEPLOYED)) != DEPLOYED:
            troubles.insert(0, f"its release is {status}")
        if isinstance(spec.root, str) and spec.root:
            troubles += unpublished(spec.root, spec.shown_in, live)
        return not_yet("; ".join(troubles)) if troubles else READY

    def observe(self, places: Mapping[Key, Place], snapshot: Snapshot) -> Mapping[Key, Found]:
        """Decode the releases of each namespace, and judge their workloads by the same bulk read."""
        return read(places, snapshot)

    def written(self, key: Key, place: Place, live: Live, world: World) -> tuple[Touch, ...]:
        """Return helm, which writes a release as a whole, and who changed its objects by hand."""
        del key, place, world
        view = view_of(live)
        if view is None:
            return live.touches
        when = re.sub(r"\.\d+", "", view.newest.last_deployed)  # helm writes nanoseconds
        return (Touch((), f"helm (revision {view.newest.revision})", when), *live.touches)

    def owned(self, mesh: str, snapshot: Snapshot) -> Mapping[Key, Place]:
        """Return every release with the mesh's label; its address ends in the name of its chart."""
        views = newest(snapshot.list(SECRET, labels=f"{LABELS},{MESH_LABEL}={mesh}"))
        return {
            Key(self.kind, snapshot.cluster, view.newest.chart): Place(namespace, name)
            for (namespace, name), view in views.items()
        }

    def preview(self, spec: ChartSpec, key: Key, live: Live | None, world: World) -> Preview:
        """Render the chart, compare it with what is deployed, and dry-run what changes."""
        try:
            return preview_upgrade(spec, key, live, world)
        except UnsafeChartError as error:
            return Preview(unknown=error.message)

    def busy(self, key: Key, place: Place, world: World) -> str:
        """Return the helm process of an interrupted run that still works on the release."""
        child = world.helm(key.cluster).at_work(place.name, place.namespace)
        return f"{child} is still at work on it" if child else ""

    def commands(self, resource: Resource[ChartSpec], mesh: Mesh) -> Commands:
        """Install or upgrade the release, and wait for its pods."""
        from mesh.providers.chart.commands import release_commands

        return release_commands(mesh.cluster(resource.key.cluster), resource)

    def documents(self, spec: ChartSpec, key: Key, world: World | None) -> Iterable[Document]:
        """Return the values, with the chart that they are for in the remarks."""
        del key, world
        job = spec.job
        version = f" version {job.version}" if job.version else " (the version of the archive)"
        remarks = (
            f"values of release {job.release} in namespace {job.namespace}",
            f"chart {job.ref}{version}" + (f" from {job.repo}" if job.repo else ""),
        )
        return (Document(mask(job.values, spec.sensitive), remarks),)

    def rights(self, action: Action, key: Key, place: Place) -> Iterable[Right]:
        """Return the rights on the chart's objects, and on helm's record of the release."""
        return release(key.name, action, place.namespace)

    def rights_of(self, step: Step, place: Place) -> Iterable[Right]:
        """Return the rights on the release, and on what this step changes in it: values can add objects."""
        return changed(step, place.namespace)

    def reads(self, key: Key, place: Place) -> Iterator[Right]:
        """Yield the rights to see the nodes, and the objects that the chart renders."""
        yield from rights(NODE, READ)
        yield from compared(key.name, place.namespace)

    def create(self, spec: ChartSpec, key: Key, world: World) -> None:
        """Install it; `helm upgrade --install` continues a release that an earlier run began."""
        helm = world.helm(key.cluster)
        helm.upgrade(helm.pinned(spec.job)[0])

    def update(self, spec: ChartSpec, key: Key, live: Live, last: Last | None, world: World) -> None:
        """Upgrade it; first unlock a release that an earlier run left pending."""
        view = view_of(live)
        if view and view.pending:
            unlock(world.kube(key.cluster), view.secret)
        helm = world.helm(key.cluster)
        with prepared(job_of(spec, live), live) as job:
            there = mask(config_of(live), hidden_of(last))
            job = replace(helm.pinned(job)[0], values=reveal(merged(job.values, there, last)))
            refuse_more(spec, key, job, live, world)
            helm.upgrade(job, force_conflicts=True)
            if drifted(live, spec.ignore):
                put_back(key, job.namespace, job.release, spec.ignore, world)

    def give_back(self, key: Key, live: Live, last: Last, world: World) -> None:
        """Upgrade it to the chart that it has, with the values of its owner only."""
        with returned(live, last) as job:
            world.helm(key.cluster).upgrade(job, force_conflicts=True)

    def preview_back(self, key: Key, live: Live, last: Last, world: World) -> Preview:
        """Render it as it will be left, and report the effect on traffic."""
        return preview_back(key, live, last, world)

    def works(self, live: Live) -> Ready:
        """Return whether every workload has rolled out."""
        return not_yet("; ".join(troubles)) if (troubles := live.status["troubles"]) else READY

    def delete(self, key: Key, place: Place, live: Live, last: Last, world: World) -> tuple[str, ...]:
        """Uninstall it; its CRDs stay, as its chart says."""
        del live, last
        world.helm(key.cluster).uninstall(place.name, place.namespace)
        return ()


def _refuse_way(spec: ChartSpec, live: Live) -> str:
    versions = live.attrs["version"], spec.job.version, spec.images
    return refuse_way(spec.component, *versions, downgrade=spec.downgrade)


def _is_whole(live: Live, version: str, ignore: Iterable[Ignore]) -> bool:
    """Return whether nothing but its values can differ."""
    return (live.attrs["version"], live.attrs["status"]) == (
        version,
        DEPLOYED,
    ) and not drifted(live, ignore)
