"""Give a release back: the chart that it has, with the values of its owner only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from mesh.model import Key, Live, Sensitive
from mesh.model.mask import reveal
from mesh.providers.chart.archive import UnsafeChartError, unpacked
from mesh.providers.chart.observe import view_of
from mesh.providers.chart.record_chart import beyond, without_hooks
from mesh.providers.chart.upgrade import traffic
from mesh.providers.chart.values import theirs_only
from mesh.sdk.chart_diff import changes, name_of
from mesh.sdk.contract import Last, Preview
from mesh.world import HelmJob, World


@contextmanager
def returned(live: Live, last: Last) -> Iterator[HelmJob]:
    """Yield the job for helm; the chart, from the release, exists inside the context only."""
    view = view_of(live)
    assert view and view.deployed and view.working, "what was adopted is deployed"
    # The chart of the release record, not of the mesh file: giving back removes values and must not upgrade.
    values = reveal(theirs_only(view.deployed.config, last))
    with unpacked(view.working) as folder:
        yield HelmJob(view.newest.name, view.newest.namespace, str(folder), "", "", values, hooks=True)


def preview_back(key: Key, live: Live, last: Last, world: World) -> Preview:
    """Render a release as it will be left, and report the effect on traffic.

    Changes are named and not shown: without a spec, the sensitive values are not known.
    """
    view = view_of(live)
    if view is None or view.deployed is None:
        return Preview()
    version = str(world.kube(key.cluster).get_path("/version")["gitVersion"])
    try:
        with returned(live, last) as job:
            new = world.helm(key.cluster).template(job, kube_version=version, upgrade=True)
    except UnsafeChartError as error:
        return Preview(unknown=error.message)
    changed = changes(view.deployed.objects(), without_hooks(new), frozenset())
    notes = traffic(key.name, live.status["nodes"], changed)
    more = beyond(new, job, world.kube(key.cluster))
    shown = tuple(replace(each, fields=()) for each in changed)
    # Without a spec, the sensitive values are not known: each object counts as hidden as a whole.
    return Preview(notes, shown, beyond=more, sends={name_of(obj): Sensitive(obj) for obj in new})
