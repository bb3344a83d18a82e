"""What people changed by hand in the objects of a release, which helm does not notice.

Only fields of the rendering count, and only if a person's tool wrote them since: a controller may write what
it owns. An object of the rendering that was deleted counts as a whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from mesh.model import Path, Touch
from mesh.model.diff import dotted, leaves, named
from mesh.sdk.chart_diff import HANDS
from mesh.sdk.managed_fields import touches
from mesh.world import Object
from mesh.world.helm.releases import Release

WATCHED = ("Deployment", "DaemonSet", "ConfigMap")
"""The types that are read in bulk anyway."""

_KIND = re.compile(r"^kind: *[\"']?(\w+)", re.MULTILINE)
_NAME = re.compile(r"^metadata:.*?^  name: *[\"']?([^\s\"']+)", re.MULTILINE | re.DOTALL)

Drift = tuple[dict[str, Any], tuple[Touch, ...]]


def drift(release: Release, live: Mapping[tuple[str, str], Object]) -> Drift:
    """Return what differs, by object and path, and who wrote it; `live` is by (kind, name).

    The rendering is parsed only if an object was deleted, or a person's tool wrote one.
    """
    names = list(rendered(release.manifest))
    missing = [name for name in names if name not in live]
    suspects = {name for name in names if name in live and _by_hand(live[name])}
    if not missing and not suspects:
        return {}, ()
    found: dict[str, Any] = {" ".join(name): {"there": False} for name in missing}
    who: list[Touch] = []
    for wanted in release.objects() if suspects else ():
        name = (str(wanted.get("kind")), str(wanted["metadata"]["name"]))
        if name in suspects and (changed := dict(_changed(wanted, live[name]))):
            found[" ".join(name)] = {path: touch.value for path, touch in changed.items()}
            who += [_placed(" ".join(name), path, touch.by) for path, touch in changed.items()]
    return found, tuple(who)


def rendered(manifest: str) -> Iterator[tuple[str, str]]:
    """Yield (kind, name) of the watched objects of a rendering, without parsing it."""
    for document in re.split(r"^---.*$", manifest, flags=re.MULTILINE):
        kind, name = _KIND.search(document), _NAME.search(document)
        if kind and name and kind[1] in WATCHED:
            yield kind[1], name[1]


class _Changed:
    def __init__(self, value: Any, by: Touch) -> None:
        self.value, self.by = value, by


def _by_hand(obj: Object) -> bool:
    entries = obj["metadata"].get("managedFields", [])
    return any(str(entry.get("manager", "")).startswith(HANDS) for entry in entries)


def _changed(wanted: Object, live: Object) -> Iterator[tuple[str, _Changed]]:
    """Yield the fields of a rendering that a person's tool set to something else."""
    # Controllers write into what helm rendered: istiod its webhooks' caBundle, an autoscaler the replicas. A
    # comparison without the writer would report those on every healthy mesh.
    by = [touch for touch in touches(live, manager="helm") if touch.path and touch.manager.startswith(HANDS)]
    for path, value in leaves({key: wanted[key] for key in wanted if key in ("spec", "data")}):
        touch = next((touch for touch in by if path[: len(touch.path)] == touch.path), None)
        if touch and (there := at(live, path)) != value:
            yield dotted(path), _Changed(there, touch)


def at(obj: Any, path: Path) -> Any:
    """Return the value at a path of an object; None if there is none."""
    for part in path:
        obj = named(obj).get(part) if isinstance(obj, Mapping | list) else None
    return obj


def _placed(name: str, path: str, touch: Touch) -> Touch:
    return replace(touch, path=("objects", name, path))


def by_name(objects: Iterable[Object]) -> dict[tuple[str, str], Object]:
    """Index live objects by kind and name."""
    return {(str(obj["kind"]), str(obj["metadata"]["name"])): obj for obj in objects}
