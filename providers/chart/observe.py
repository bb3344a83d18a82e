"""Read releases by name or by chart, and why their pods are not ready."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from mesh.errors import KubeError
from mesh.model import Found, Key, Live, Place, Unread
from mesh.model.mask import mask
from mesh.providers.chart.archive import forged
from mesh.providers.chart.drift import Drifts, drifts, objects
from mesh.providers.chart.locator import ReleaseLocator
from mesh.providers.chart.release_objects import listed, standing
from mesh.providers.chart.values import hidden_of
from mesh.providers.chart.visible_state import visible_state
from mesh.sdk.managed_fields import MESH_LABEL
from mesh.sdk.recorded_snapshot import recorded
from mesh.sdk.unreadable import unreadable
from mesh.world.helm.releases import LABELS, NOT_SUPERSEDED, ReleaseView, newest
from mesh.world.kube.errors import Forbidden
from mesh.world.resources import SECRET
from mesh.world.snapshot import Snapshot


def read(places: Mapping[Key, Place], snapshot: Snapshot) -> dict[Key, Found]:
    """Find each release in one LIST a namespace, or in one of the cluster for those found by chart."""
    by_chart = {key: place for key, place in places.items() if ReleaseLocator.of(place).by_chart}
    found: dict[Key, Found] = {}
    for namespace in sorted({place.namespace for key, place in places.items() if key not in by_chart}):
        here = {
            key: place
            for key, place in places.items()
            if place.namespace == namespace and key not in by_chart
        }
        try:
            found |= _named(here, namespace, snapshot)
        except Forbidden as error:
            found |= _unreadable(here, error, snapshot)
        except KubeError as error:
            found |= dict.fromkeys(here, Unread(error.message))
    try:
        found |= _of_charts(by_chart, snapshot) if by_chart else {}
    except Forbidden as error:
        found |= _unreadable(by_chart, error, snapshot)
    except KubeError as error:
        found |= dict.fromkeys(by_chart, Unread(error.message))
    return found


def _unreadable(places: Mapping[Key, Place], error: Forbidden, snapshot: Snapshot) -> dict[Key, Found]:
    """Return what is visible of releases with Secrets that this identity may not list.

    Each address ends in the name of its chart.
    """
    return {
        key: unreadable(key, error, snapshot, partial(visible_state, key.name, place, snapshot=snapshot))
        for key, place in places.items()
    }


def _named(places: Mapping[Key, Place], namespace: str, snapshot: Snapshot) -> dict[Key, Found]:
    views = views_in(snapshot, namespace)
    found: dict[Key, Found] = {}
    for key, place in places.items():
        view = views.get((namespace, place.name))
        found[key] = _one([view], key, place, snapshot) if view else None
    return found


def _of_charts(places: Mapping[Key, Place], snapshot: Snapshot) -> dict[Key, Found]:
    views = _all_or_near(places, snapshot)
    found: dict[Key, Found] = {}
    for key, place in places.items():
        mine = [view for view in views if view.is_of(place.name)]
        found[key] = _one(mine, key, place, snapshot) if mine else None
    return found


def _all_or_near(places: Mapping[Key, Place], snapshot: Snapshot) -> list[ReleaseView]:
    """Return the releases of all namespaces, or of the expected ones if this identity may read no more."""
    try:
        return list(all_views(snapshot).values())
    except Forbidden:
        namespaces = sorted({place.namespace for place in places.values()})
        return [view for each in namespaces for view in views_in(snapshot, each).values()]


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


def _one(views: list[ReleaseView], key: Key, wanted: Place, snapshot: Snapshot) -> Found:
    """Return the release, or why helm cannot have written its record."""
    why = next((why for view in views if (why := forged(view))), "")
    return Unread(why) if why else _live(views, key, wanted, snapshot)


def _live(views: Iterable[ReleaseView], key: Key, wanted: Place, snapshot: Snapshot) -> Live:
    """Return the first of the releases; the kind refuses several."""
    view, *others = views
    shown, place = view.deployed or view.newest, Place(view.newest.namespace, view.newest.name)
    attrs: dict[str, Any] = {
        "chart": shown.chart,
        "version": shown.chart_version,
        "status": view.status,
        "values": mask(shown.config, hidden_of(recorded(snapshot, key))),
    }
    around = listed(place, snapshot)
    found = drifts(view.deployed, snapshot) if view.deployed else Drifts()
    attrs |= objects(found.sides()[0])
    return Live(
        attrs=attrs,
        token=view.token,
        uid=view.newest.uid,
        outputs={"revision": view.newest.revision, "appVersion": shown.app_version},
        status={
            "view": view,
            "drifts": found,
            "others": [f"{each.newest.namespace}/{each.newest.name}" for each in others],
            **standing(place, wanted, around, snapshot),
        },
        owner=view.secret["metadata"]["labels"].get(MESH_LABEL)
        or f"helm release {place.namespace}/{place.name}",
        place=place,
        touches=found.touches(),
        remarks=found.remarks(),
    )


def view_of(found: Found) -> ReleaseView | None:
    """Return the release of a live object, if it is one."""
    return found.status["view"] if isinstance(found, Live) else None
