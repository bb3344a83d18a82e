"""Read plain Kubernetes objects: missing fields read as empty."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mesh.lab.standin.api import Json

#: Namespace ("" for cluster-scoped objects) and name.
Name = tuple[str, str]


def at(value: Any, *path: str | int, default: Any = None) -> Any:
    """Return the value at `path`, or `default` if any part of the path is missing or null."""
    for part in path:
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            return default
    return default if value is None else value


def name(value: Json) -> Name:
    """Return the namespace and name of an object."""
    return at(value, "metadata", "namespace", default=""), value["metadata"]["name"]


def label(value: Json, key: str) -> str:
    """Return a label of an object, "" if it is missing."""
    return str(at(value, "metadata", "labels", key, default=""))


def annotation(value: Json, key: str) -> str:
    """Return an annotation of an object, "" if it is missing."""
    return str(at(value, "metadata", "annotations", key, default=""))


def condition(value: Json, kind: str) -> Json:
    """Return a status condition of an object by its type, {} if it is missing."""
    for one in at(value, "status", "conditions", default=()):
        if one["type"] == kind:
            found: Json = one
            return found
    return {}


def holds(live: Any, wanted: Any) -> bool:
    """Return whether `live` contains everything in `wanted`; defaults that a server adds are ignored."""
    if isinstance(wanted, Mapping):
        return isinstance(live, Mapping) and all(holds(live.get(key), value) for key, value in wanted.items())
    if isinstance(wanted, list):
        if not isinstance(live, list) or len(live) != len(wanted):
            return False
        return all(holds(have, want) for have, want in zip(live, wanted, strict=True))
    return bool(live == wanted)
