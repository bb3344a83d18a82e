"""Put the objects of a release back to what helm rendered, where helm's own upgrade does not.

An upgrade restores what was changed or removed in objects of Kubernetes' own types. It leaves what was added,
and without server-side apply all that was changed in custom resources.
"""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy
from functools import partial
from itertools import groupby
from typing import Any

from mesh.model import ABSENT, Key, Path
from mesh.model.diff import named
from mesh.model.spec import Ignore
from mesh.providers.chart.drift import EXISTS, Drift, drifts
from mesh.providers.chart.rendered import Rendered
from mesh.sdk.on_conflict import on_conflict
from mesh.world import Kube, Object, World
from mesh.world.helm.releases import NOT_SUPERSEDED, newest
from mesh.world.resources import SECRET
from mesh.world.snapshot import Snapshot

MANAGER = "mesh/chart"


def put_back(key: Key, namespace: str, release: str, ignore: Iterable[Ignore], world: World) -> None:
    """Compare the objects with the release as it is now, and write those that still differ."""
    # Read again: the upgrade may have rendered something else, and has put most of it back.
    snapshot = Snapshot(key.cluster, world)
    secrets = snapshot.list(SECRET, namespace=namespace, labels=NOT_SUPERSEDED)
    view = newest(secrets).get((namespace, release))
    if view is None or view.deployed is None:
        return
    found = drifts(view.deployed, snapshot).found
    left = [each for each in found if each.path != EXISTS and not each.ignored_by(ignore)]
    kube = world.kube(key.cluster)
    for one, parts in groupby(left, key=lambda each: each.object):
        on_conflict(partial(_restore, kube, one, list(parts)))


def _restore(kube: Kube, one: Rendered, parts: Iterable[Drift]) -> None:
    obj = kube.get(one.resource, one.place.namespace, one.place.name)
    if obj is not None and (right := restored(obj, parts)) != obj:
        # A PUT with the resourceVersion that was read: what another writer changes meanwhile stays. The
        # server refuses some at first, because controllers write the status of what helm has just upgraded.
        kube.replace(right, manager=MANAGER)


def restored(obj: Object, parts: Iterable[Drift]) -> Object:
    """Return an object with some paths as they were rendered."""
    right = deepcopy(obj)
    right["metadata"].pop("managedFields", None)
    for each in parts:
        _set(right, each.path, each.wanted)
    before = {**obj, "metadata": {k: v for k, v in obj["metadata"].items() if k != "managedFields"}}
    return obj if right == before else right


def _set(obj: Any, path: Path, value: Any) -> None:
    """Set the value at a path, or remove it; a path is as `named` gives it."""
    for at, part in enumerate(path[:-1]):
        inner = _inside(obj, part)
        if inner is None:
            if value is ABSENT or isinstance(obj, list):
                return
            inner = obj[part] = {} if not path[at + 1].startswith("[") else []
        obj = inner
    last = path[-1]
    if isinstance(obj, list):
        index = next((n for n, name in enumerate(named(obj)) if name == last), None)
        if index is not None:
            obj.pop(index)
        if value is not ABSENT:
            obj.insert(len(obj) if index is None else index, deepcopy(value))
    elif value is ABSENT:
        obj.pop(last, None)
    else:
        obj[last] = deepcopy(value)


def _inside(obj: Any, part: str) -> Any:
    return named(obj).get(part) if obj else None
