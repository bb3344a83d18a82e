"""Reading plain Kubernetes objects: what is absent reads as empty."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mesh.lab.standin.api import Json

#: Namespace ("" for what has none) and name.
Name = tuple[str, str]


def at(value: Any, *path: str | int, default: Any = None) -> Any:
    """What stands at `path`, or `default` where any part of the way is missing or null."""
    for part in path:
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            return default
    return default if value is None else value


def name(value: Json) -> Name:
    """Namespace and name of an object."""
    return at(value, "metadata", "namespace", default=""), value["metadata"]["name"]


def label(value: Json, key: str) -> str:
    """A label of an object, "" when it has none."""
    return str(at(value, "metadata", "labels", key, default=""))


def annotation(value: Json, key: str) -> str:
    """An annotation of an object, "" when it has none."""
    return str(at(value, "metadata", "annotations", key, default=""))


def condition(value: Json, kind: str) -> Json:
    """A status condition of an object by its type, {} when it has none."""
    for one in at(value, "status", "conditions", default=()):
        if one["type"] == kind:
            found: Json = one
            return found
    return {}


def holds(live: Any, wanted: Any) -> bool:
    """Whether `live` says everything that `wanted` says; what a server adds by default does not matter."""
    if isinstance(wanted, Mapping):
        return isinstance(live, Mapping) and all(holds(live.get(key), value) for key, value in wanted.items())
    if isinstance(wanted, list):
        if not isinstance(live, list) or len(live) != len(wanted):
            return False
        return all(holds(have, want) for have, want in zip(live, wanted, strict=True))
    return bool(live == wanted)
