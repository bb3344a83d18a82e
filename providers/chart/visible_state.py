"""What is visible of a release without its Secret: its objects, their labels, and who wrote them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from mesh.model import Place, Touch
from mesh.model.diff import digest, dotted
from mesh.model.mask import mask
from mesh.providers.chart.drift import at
from mesh.providers.chart.release_objects import listed, standing
from mesh.sdk.chart_diff import HANDS
from mesh.sdk.contract import Last
from mesh.sdk.managed_fields import writers
from mesh.sdk.rollout_status import of_release
from mesh.sdk.unreadable import VisibleState, as_left
from mesh.world import Object
from mesh.world.resources import CONFIG_MAP
from mesh.world.snapshot import Snapshot

CHART = "helm.sh/chart"
RENDERED = (("spec", "template", "spec"), ("data",))
"""What charts render as a whole: a field that a person's tool wrote there was the chart's before."""
KEY = "name"
"""The field that identifies an item of containers, variables and volumes."""
WITHOUT_PODS = ("base",)


def visible_state(chart: str, wanted: Place, last: Last, snapshot: Snapshot) -> VisibleState:
    """Return what the objects of a release show that the last apply did not leave."""
    place = last.place
    around = listed(place, snapshot)
    objects = of_release(around, place.name, place.namespace)
    version = next((each for obj in objects if (each := _version(chart, obj))), "")
    changed, who = _by_hand(objects)
    if not any(obj["kind"] != CONFIG_MAP.kind for obj in objects) and chart not in WITHOUT_PODS:
        changed[f"every workload of {place.namespace}/{place.name}"] = {"there": False}
    strange: dict[str, Any] = {"objects": mask(changed, at=("objects",))} if changed else {}
    if version and last.fields.get("version") not in (None, digest(version)):
        strange["version"] = version
    status = {"view": None, "others": [], **standing(place, wanted, around, snapshot)}
    left = replace(as_left(last), attrs={"version": version}, status=status, touches=who)
    return VisibleState(left, strange)


def _version(chart: str, obj: Object) -> str:
    """Return the version of the chart in an object's label; "" if it has none."""
    label = str((obj["metadata"].get("labels") or {}).get(CHART, ""))
    return label.removeprefix(f"{chart}-").replace("_", "+") if label.startswith(f"{chart}-") else ""


def _by_hand(objects: Iterable[Object]) -> tuple[dict[str, Any], tuple[Touch, ...]]:
    """Return what a person's tool wrote into what the chart rendered, by object and path."""
    changed: dict[str, Any] = {}
    who: list[Touch] = []
    for obj in objects:
        name = f"{obj['kind']} {obj['metadata']['name']}"
        for touch in _written(obj):
            changed.setdefault(name, {})[dotted(touch.path)] = at(obj, touch.path)
            who.append(replace(touch, path=("objects", name, dotted(touch.path))))
    return changed, tuple(who)


def _written(obj: Object) -> Iterator[Touch]:
    """Yield what a person's tool changed: helm no longer holds it, and it was not added to a list."""
    everyone = writers(obj)
    kept = {touch.path for touch in everyone if not touch.manager.startswith(HANDS)}
    by = [touch for touch in everyone if touch.manager.startswith(HANDS) and touch.path not in kept]
    added = {touch.path[:-1] for touch in by if touch.path[-1] == KEY}
    for touch in by:
        inside = any(touch.path[: len(path)] == path for path in RENDERED)
        if inside and not any(touch.path[: len(path)] == path for path in added):
            yield touch
