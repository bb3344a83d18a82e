"""What an object's managedFields tell: who wrote which field last, and who owns the object.

Source: the `FieldsV1` format of the Kubernetes API (`f:name`, `k:{…}` and `v:…` entries).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mesh.istio.addresses import is_gateway
from mesh.model import Key, Path, Touch
from mesh.model.bounded_text import SMALL, Unfit, loads

MESH_LABEL = "meshform.io/mesh"
ADDRESS_ANNOTATION = "meshform.io/address"


def marks(mesh: str) -> dict[str, str]:
    """Return the label that says which mesh manages an object."""
    return {MESH_LABEL: mesh}


def is_going(obj: Mapping[str, Any]) -> bool:
    """Return whether an object is being deleted."""
    return bool(obj["metadata"].get("deletionTimestamp"))


def owner_of(obj: Mapping[str, Any]) -> str:
    """Return the owner of an object: a mesh by its label, else its Helm release, owner or last manager."""
    meta = obj["metadata"]
    annotations = meta.get("annotations", {})
    if (mesh := meta.get("labels", {}).get(MESH_LABEL)) and not is_copied(meta):
        return str(mesh)
    if release := annotations.get("meta.helm.sh/release-name"):
        return f"helm release {annotations.get('meta.helm.sh/release-namespace', '')}/{release}"
    if owners := meta.get("ownerReferences"):
        return f"{owners[0]['kind']} {owners[0]['name']}"
    newest = _newest(obj)
    return f"field manager {newest['manager']}" if newest else ""


def is_copied(meta: Mapping[str, Any]) -> bool:
    """Return whether istiod copied the marks of a gateway to the peer that it made from it."""
    try:
        key = Key.parse(meta.get("annotations", {}).get(ADDRESS_ANNOTATION, ""))
    except ValueError:
        return False
    return is_gateway(key) and key.name != meta["name"]


def touches(obj: Mapping[str, Any], *, manager: str) -> tuple[Touch, ...]:
    """List which field manager other than `manager` wrote which field, the object's last writer first.

    The last writer has the empty path: it is the one to ask about a field that was removed.
    """
    entries = [entry for entry in _entries(obj) if not str(entry.get("manager", "")).startswith(manager)]
    found = [
        Touch(path, entry.get("manager", ""), entry.get("time", ""))
        for entry in entries
        for path in _paths(entry.get("fieldsV1", {}), ())
    ]
    newest = max(entries, key=lambda entry: str(entry.get("time", "")), default=None)
    first = [Touch((), newest.get("manager", ""), newest.get("time", ""))] if newest else []
    return tuple(first + found)


def writers(obj: Mapping[str, Any]) -> tuple[Touch, ...]:
    """List who wrote which field, mesh included; a field of several managers is listed for each."""
    return tuple(
        Touch(path, str(entry.get("manager", "")), str(entry.get("time", "")))
        for entry in _entries(obj)
        for path in _paths(entry.get("fieldsV1", {}), ())
    )


def _entries(obj: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [
        entry for entry in obj["metadata"].get("managedFields", []) if entry.get("subresource") != "status"
    ]


def _newest(obj: Mapping[str, Any]) -> Mapping[str, Any] | None:
    return max(_entries(obj), key=lambda entry: str(entry.get("time", "")), default=None)


def _paths(fields: Mapping[str, Any], at: Path) -> Iterator[Path]:
    for name, inner in fields.items():
        path = (*at, part) if (part := _part(name)) else at
        if inner and isinstance(inner, Mapping):
            yield from _paths(inner, path)
        elif part:
            yield path


def _part(name: str) -> str:
    kind, _, rest = name.partition(":")
    if kind == "f":
        return rest
    if kind == "k":
        return f"[{_first(rest)}]"
    return f"[{rest}]" if kind in {"i", "v"} else ""


def _first(key: str) -> str:
    """Return the value of a list item's key, such as `{"name":"web"}`; the key itself if it is none."""
    try:
        found = loads(key, SMALL)
    except Unfit:
        return key
    return str(next(iter(found.values()), key)) if isinstance(found, dict) else key
