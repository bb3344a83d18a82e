"""Releases as they are: by name, or by the chart that they are of; and what keeps their pods from working."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from mesh.errors import KubeError
from mesh.managed import MESH_LABEL
from mesh.model import Found, Key, Live, Place, Unread
from mesh.providers.chart.drift import by_name, drift
from mesh.providers.chart.trust import published
from mesh.sensitive import mask
from mesh.workloads import of_release, why_not
from mesh.world import Object, Snapshot
from mesh.world.releases import LABELS, NOT_SUPERSEDED, ReleaseView, newest
from mesh.world.resources import CONFIG_MAP, DAEMON_SET, DEPLOYMENT, NODE, POD, SECRET

BY_CHART = "by chart"
"""The variant of a place that names a chart and not a release."""
AND_ROOT = " and root of trust"
"""The end of a variant that asks for the root of trust that is published."""


def read(places: Mapping[Key, Place], snapshot: Snapshot) -> dict[Key, Found]:
    """Find each release, in one LIST a namespace, or one of the cluster for those found by chart."""
    by_chart = {key: place for key, place in places.items() if place.variant.startswith(BY_CHART)}
    found: dict[Key, Found] = {}
    for namespace in sorted({place.namespace for key, place in places.items() if key not in by_chart}):
        here = {
            key: place
            for key, place in places.items()
            if place.namespace == namespace and key not in by_chart
        }
        try:
            found |= _named(here, namespace, snapshot)
        except KubeError as error:
            found |= dict.fromkeys(here, Unread(error.message))
    try:
        found |= _of_charts(by_chart, snapshot) if by_chart else {}
    except KubeError as error:
        found |= dict.fromkeys(by_chart, Unread(error.message))
    return found


def _named(places: Mapping[Key, Place], namespace: str, snapshot: Snapshot) -> dict[Key, Found]:
    views = views_in(snapshot, namespace)
    found: dict[Key, Found] = {}
    for key, place in places.items():
        view = views.get((namespace, place.name))
        found[key] = _live([view], place, snapshot) if view else None
    return found


def _of_charts(places: Mapping[Key, Place], snapshot: Snapshot) -> dict[Key, Found]:
    views = all_views(snapshot).values()
    found: dict[Key, Found] = {}
    for key, place in places.items():
        mine = [view for view in views if view.newest.chart == place.name]
        found[key] = _live(mine, place, snapshot) if mine else None
    return found


def views_in(snapshot: Snapshot, namespace: str) -> Mapping[tuple[str, str], ReleaseView]:
    """Return the releases of a namespace, decoded once a run."""

    def decode() -> Mapping[tuple[str, str], ReleaseView]:
        return newest(snapshot.list(SECRET, namespace=namespace, labels=NOT_SUPERSEDED))

    views: Mapping[tuple[str, str], ReleaseView] = snapshot.remember(("releases", namespace), decode)
    return views


def all_views(snapshot: Snapshot) -> Mapping[tuple[str, str], ReleaseView]:
    """Return the releases of all namespaces, decoded once a run."""

    def decode() -> Mapping[tuple[str, str], ReleaseView]:
        return newest(snapshot.list(SECRET, labels=LABELS))

    views: Mapping[tuple[str, str], ReleaseView] = snapshot.remember(("releases", ""), decode)
    return views


def _live(views: Iterable[ReleaseView], wanted: Place, snapshot: Snapshot) -> Live:
    """Describe the first of the releases; that there are several is for the kind to refuse."""
    view, *others = views
    shown, place = view.deployed or view.newest, Place(view.newest.namespace, view.newest.name)
    attrs: dict[str, Any] = {
        "chart": shown.chart,
        "version": shown.chart_version,
        "status": view.status,
        "values": mask(shown.config),
    }
    listed = _listed(place, snapshot)
    pods = (obj for obj in listed if obj["kind"] != CONFIG_MAP.kind)
    workloads = of_release(pods, place.name, place.namespace)
    changed, who = drift(view.deployed, by_name(listed)) if view.deployed else ({}, ())
    if changed:
        attrs["objects"] = mask(changed, at=("objects",))
    nodes = len(snapshot.list(NODE, metadata_only=True)) if workloads else 0
    return Live(
        attrs=attrs,
        token=view.token,
        uid=view.newest.uid,
        outputs={"revision": view.newest.revision, "appVersion": shown.app_version},
        status={
            "view": view,
            "others": [f"{each.newest.namespace}/{each.newest.name}" for each in others],
            "nodes": nodes,
            "troubles": _troubles(workloads, nodes, place, snapshot),
            "published": published(snapshot) if wanted.variant.endswith(AND_ROOT) else {},
        },
        owner=view.secret["metadata"]["labels"].get(MESH_LABEL)
        or f"helm release {place.namespace}/{place.name}",
        place=place,
        touches=who,
    )


def view_of(found: Found) -> ReleaseView | None:
    """The release behind what was found, if it is one."""
    return found.status["view"] if isinstance(found, Live) else None


def _listed(place: Place, snapshot: Snapshot) -> list[Object]:
    """The workloads and ConfigMaps of the release's namespace, which are read in bulk anyway."""
    return [
        {**obj, "kind": resource.kind}
        for resource in (DEPLOYMENT, DAEMON_SET, CONFIG_MAP)
        for obj in snapshot.list(resource, namespace=place.namespace)
    ]


def _troubles(workloads: Iterable[Object], nodes: int, place: Place, snapshot: Snapshot) -> list[str]:
    """Why workloads of a release are not ready; pods are read only of those."""

    def pods(workload: Object) -> list[Object]:
        labels = ",".join(f"{k}={v}" for k, v in workload["spec"]["selector"]["matchLabels"].items())
        return snapshot.list(POD, namespace=place.namespace, labels=labels)

    return [why for obj in workloads if (why := why_not(obj, nodes, pods))]
