"""What an upgrade of a release would do, by a rendering of its chart and dry runs of what changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from mesh.errors import RefusedError
from mesh.model import Key, Live, ManifestChange, Path
from mesh.model.diff import leaves
from mesh.model.mask import mask, secrets_in
from mesh.providers.chart.drift import as_changes, others, rewritten
from mesh.providers.chart.management_plane import is_from_record, prepared
from mesh.providers.chart.observe import view_of
from mesh.providers.chart.record_chart import beyond, without_hooks
from mesh.providers.chart.spec import ChartSpec
from mesh.providers.chart.trust import ISTIOD, second_istiod
from mesh.providers.chart.upgrade import traffic
from mesh.providers.chart.values import merged
from mesh.sdk.chart_diff import changes, conflicts, placeheld, sent
from mesh.sdk.contract import Preview
from mesh.world import HelmJob, Object, World


def preview_upgrade(spec: ChartSpec, key: Key, live: Live | None, world: World) -> Preview:
    """Render the chart, compare it with what is deployed, and dry-run what changes."""
    kube = world.kube(key.cluster)
    with prepared(job_of(spec, live), live) as job:
        job, bytes_of_chart = world.helm(key.cluster).pinned(job)
        job = replace(job, values=placeheld(merged(job.values, config_of(live), None)))
        rendered = _rendered(job, key, live, world)
    if live is None and spec.component == ISTIOD and (why := second_istiod(kube, spec.job.namespace)):
        return Preview(refusals=(why,))
    more = beyond(rendered, job, kube) if is_from_record(spec.job, live) else ()
    new = without_hooks(rendered)
    view = view_of(live)
    old = view.deployed.objects() if view and view.deployed else []
    # A value that is removed is still in the old manifests.
    shown = live.attrs["values"] if live else {}
    secrets = frozenset().union(
        *(secrets_in(mask(each, spec.sensitive)) for each in (job.values, config_of(live), shown))
    )
    taken, held = conflicts(kube, job, new, old, secrets) if old else ((), ())
    changed = changes(old, new, secrets)
    return Preview(
        (*taken, *(_effects(spec, live, changed) if live else ())),
        changed,
        held,
        beyond=more,
        sends=sent(rendered, secrets),
        charts={spec.component: bytes_of_chart} if bytes_of_chart else {},
        usual=_usual(spec),
    )


def _effects(spec: ChartSpec, live: Live, changed: tuple[ManifestChange, ...]) -> tuple[str, ...]:
    """Return what the upgrade does to traffic and to what others wrote."""
    restarts = traffic(spec.component, live.status["nodes"], (*changed, *as_changes(live, spec.ignore)))
    return (*restarts, *others(live, spec.ignore), *rewritten(live, spec.ignore))


def _usual(spec: ChartSpec) -> frozenset[Path]:
    """Return the values that the guide gives and the mesh file does not state."""
    stated = {path for path, _ in leaves(spec.stated)}
    given = (path for path, _ in leaves(spec.job.values))
    # The chart is in the address, and what is not deployed counts as not ready.
    return frozenset({("chart",), ("status",), *(("values", *path) for path in given if path not in stated)})


def refuse_more(spec: ChartSpec, key: Key, job: HelmJob, live: Live, world: World) -> None:
    """Refuse to upgrade to the chart of the record if that does more than the plan showed.

    The record may have been written again since the plan. Raises RefusedError.
    """
    if not is_from_record(spec.job, live) or spec.new_objects:
        return
    if more := beyond(_rendered(job, key, live, world), job, world.kube(key.cluster)):
        raise RefusedError(
            f"{key}: the chart in the release's own record would create {'; '.join(more)}",
            hint="run `mesh plan` again",
        )


def _rendered(job: HelmJob, key: Key, live: Live | None, world: World) -> list[Object]:
    version = str(world.kube(key.cluster).get_path("/version")["gitVersion"])
    return world.helm(key.cluster).template(job, kube_version=version, upgrade=live is not None)


def job_of(spec: ChartSpec, live: Live | None) -> HelmJob:
    """Return the job for helm: an adopted release keeps its name."""
    if spec.adopt and live and live.place:
        return replace(spec.job, release=live.place.name, namespace=live.place.namespace)
    return spec.job


def config_of(live: Live | None) -> Mapping[str, object]:
    """Return the values that the user gave to the deployed revision."""
    view = view_of(live)
    return view.deployed.config if view and view.deployed else {}
