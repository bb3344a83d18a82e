"""Who owns which field of an object: the sets of managedFields, and merging by them.

A set holds paths: tuples of `f:name`, `k:{…}` (an item of a list with keys) and `v:…` (an item of a list that
is a set), and "." for an item or a mapping as such. Source: structured-merge-diff of the Kubernetes project.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

Path = tuple[str, ...]
Fields = frozenset[Path]
NONE: Fields = frozenset()

KEYED: Mapping[str, tuple[str, ...]] = {
    "listeners": ("name",),
    "containers": ("name",),
    "env": ("name",),
    "conditions": ("type",),
    "ownerReferences": ("uid",),
}
SETS = frozenset({"finalizers"})
LEFT_OUT = frozenset(
    {
        "name",
        "namespace",
        "uid",
        "resourceVersion",
        "generation",
        "creationTimestamp",
        "deletionTimestamp",
        "managedFields",
        "selfLink",
    }
)
"""Metadata that no manager owns."""


def fields_of(obj: Mapping[str, Any], *, applied: bool) -> Fields:
    """Return the fields that an object sets; an update also owns the mappings that it makes."""
    return frozenset(_walk(owned(obj), (), applied=applied))


def owned(obj: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of an object that managers own."""
    kept = {name: value for name, value in obj.items() if name not in {"apiVersion", "kind", "status"}}
    meta = {name: value for name, value in obj.get("metadata", {}).items() if name not in LEFT_OUT}
    return {**kept, "metadata": meta} if meta else {name: kept[name] for name in kept if name != "metadata"}


def _walk(value: Any, at: Path, *, applied: bool) -> Iterator[Path]:
    if isinstance(value, Mapping) and value:
        if at and not applied and at[-1].startswith("f:") and at[-1] in _OPEN:
            yield (*at, ".")
        for name, inner in value.items():
            yield from _walk(inner, (*at, f"f:{name}"), applied=applied)
        return
    if isinstance(value, list) and (_keys(at) or (at and at[-1][2:] in SETS)):
        if not applied and value:
            yield (*at, ".")
        yield from _items(value, at, applied=applied)
    elif at:
        yield at


def _items(value: list[Any], at: Path, *, applied: bool) -> Iterator[Path]:
    """Yield the fields of a list with keys, or of one that is a set."""
    keyed = _keys(at)
    for item in value:
        if not keyed:
            yield (*at, f"v:{json.dumps(item)}")
            continue
        inside = (*at, _key(item, keyed))
        yield (*inside, ".")
        for name, inner in item.items():
            yield from _walk(inner, (*inside, f"f:{name}"), applied=applied)


_OPEN = frozenset({"f:labels", "f:annotations", "f:data", "f:matchLabels", "f:nodeSelector"})
"""Mappings with free keys, which are a field themselves."""


def _keys(at: Path) -> tuple[str, ...]:
    return KEYED.get(at[-1][2:], ()) if at and at[-1].startswith("f:") else ()


def _key(item: Mapping[str, Any], keyed: tuple[str, ...]) -> str:
    return "k:" + json.dumps({name: item.get(name) for name in keyed}, separators=(",", ":"))


def nested(fields: Fields) -> dict[str, Any]:
    """Return a set in the form of `fieldsV1`."""
    tree: dict[str, Any] = {}
    for path in sorted(fields):
        inner = tree
        for part in path:
            inner = inner.setdefault(part, {})
    return _collapsed(tree)


def _collapsed(tree: dict[str, Any]) -> dict[str, Any]:
    """Leave the mark of a field itself out where nothing in it is owned: the field is the leaf then."""
    if tree.keys() == {"."}:
        return {}
    return {part: _collapsed(inner) for part, inner in tree.items()}


def dotted(path: Path) -> str:
    """Return a path as the API server names it in a conflict."""
    text = ""
    for part in path:
        if part.startswith("f:"):
            text += f".{part[2:]}"
        elif part.startswith("k:"):
            inner = ",".join(f"{k}={json.dumps(v)}" for k, v in json.loads(part[2:]).items())
            text += f"[{inner}]"
        elif part.startswith("v:"):
            text += f"[={part[2:]}]"
    return text


_ABSENT = object()


def value_at(obj: Any, path: Path) -> Any:
    """Return the value at a path; a mark of its own if there is none."""
    for part in path:
        if part == ".":
            return True
        obj = _step(obj, part)
        if obj is _ABSENT:
            return _ABSENT
    return obj


def is_there(obj: Any, path: Path) -> bool:
    """Whether an object has a path."""
    return value_at(obj, path) is not _ABSENT


def _step(obj: Any, part: str) -> Any:
    if part.startswith("f:"):
        return obj.get(part[2:], _ABSENT) if isinstance(obj, Mapping) else _ABSENT
    if not isinstance(obj, list):
        return _ABSENT
    if part.startswith("v:"):
        wanted = json.loads(part[2:])
        return wanted if wanted in obj else _ABSENT
    keys = json.loads(part[2:])
    return next((each for each in obj if all(each.get(k) == v for k, v in keys.items())), _ABSENT)


def merged(live: Any, applied: Any, at: Path = ()) -> Any:
    """Return the live value with the applied one over it; lists by their keys, or as one value."""
    if isinstance(live, Mapping) and isinstance(applied, Mapping):
        result = dict(live)
        for name, value in applied.items():
            result[name] = merged(live[name], value, (*at, f"f:{name}")) if name in live else value
        return result
    keyed = _keys(at)
    if isinstance(live, list) and isinstance(applied, list) and keyed:
        items = {_key(each, keyed): each for each in live}
        for each in applied:
            key = _key(each, keyed)
            items[key] = merged(items[key], each, (*at, key)) if key in items else each
        return list(items.values())
    if isinstance(live, list) and isinstance(applied, list) and at and at[-1][2:] in SETS:
        return live + [each for each in applied if each not in live]
    return applied


def without(obj: Any, path: Path) -> Any:
    """Return an object without what is at a path, and without mappings that this leaves empty."""
    part, rest = path[0], path[1:]
    inner = _step(obj, part)
    if inner is _ABSENT:
        return obj
    left = without(inner, rest) if rest and rest != (".",) else _ABSENT
    if part.startswith("f:"):
        kept = {name: value for name, value in obj.items() if name != part[2:]}
        return kept if left is _ABSENT or left in ({}, []) else {**obj, part[2:]: left}
    others = [each for each in obj if each is not inner and each != inner]
    return others if left is _ABSENT else [left if each is inner else each for each in obj]
