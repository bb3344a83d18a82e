"""Two plain values to the fields that differ; the only importer of deepdiff.

Lists whose items all carry a unique `name` (listeners, containers, env) are compared by that name,
as the API server merges them; other lists are compared as wholes when their lengths differ, and
item by item otherwise.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from typing import Any

from mesh.model import ABSENT, SENSITIVE, Attrs, Field, Key, Path, Sensitive, Unknown

_MARK = "\0known after "
_MASK = "\0sensitive "
_SALT = os.urandom(16)


def diff(before: Attrs, after: Attrs) -> tuple[Field, ...]:
    """Return the leaves that differ, in path order; () when the values are equal."""
    if _equal(before, after):
        return ()
    from deepdiff import DeepDiff

    tree = DeepDiff(
        _comparable(before),
        _comparable(after),
        ignore_private_variables=False,
        threshold_to_diff_deeper=0,
        verbose_level=2,
        view="tree",
    )
    fields = [field for levels in tree.values() for level in levels for field in _fields(level)]
    return tuple(sorted(fields, key=lambda field: field.path))


def _equal(one: Any, other: Any) -> bool:
    """Whether two plain values are the same as JSON has it: 1 is 1.0, and neither is `true`."""
    match one, other:
        case (bool(), _) | (_, bool()):
            return one is other
        case Mapping(), Mapping():
            return one.keys() == other.keys() and all(_equal(item, other[key]) for key, item in one.items())
        case list() | tuple(), list() | tuple():
            return len(one) == len(other) and all(map(_equal, one, other))
    return bool(one == other)


def leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield every leaf of a plain value with its path; empty containers are leaves."""
    items = named(value)
    if not items:
        yield path, value
        return
    for key, item in items.items():
        yield from leaves(item, (*path, str(key)))


def dotted(path: Path) -> str:
    """The path as one string; a part with a dot in it goes in quotes."""
    return ".".join(f'"{part}"' if "." in part else part for part in path)


def digest(value: Any, length: int = 12) -> str:
    """A short digest of a plain value, the same for equal values; "*" where there is a secret in it.

    A digest of a secret that a person chose could be guessed back, so none is ever made.
    """
    if isinstance(value, Sensitive):
        return "*"
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:length]


def fingerprints(attrs: Attrs) -> dict[str, str]:
    """Every leaf's dotted path with the digest of its value, as the lockfile keeps them."""
    return {dotted(path): digest(value) for path, value in leaves(attrs)}


def named(value: Any) -> Mapping[str, Any]:
    """Give a container as a mapping: a list of named items by name, another list by index."""
    if isinstance(value, Mapping):
        return value
    if not isinstance(value, list | tuple) or not value:
        return {}
    names = [item.get("name") if isinstance(item, Mapping) else None for item in value]
    if all(isinstance(name, str) for name in names) and len(set(names)) == len(names):
        return {f"[{name}]": item for name, item in zip(names, value, strict=True)}
    return {f"[{index}]": item for index, item in enumerate(value)}


def _comparable(value: Any) -> Any:
    """Turn lists into mappings and unknowns into marks, so that deepdiff sees plain dicts only."""
    if isinstance(value, Unknown):
        return f"{_MARK}{value.after}"
    if isinstance(value, Sensitive):
        return _MASK + hashlib.sha256(_SALT + repr(value.reveal()).encode()).hexdigest()
    if isinstance(value, float) and value.is_integer():
        return int(value)
    items = named(value)
    return {key: _comparable(item) for key, item in items.items()} if items else value


def _fields(level: Any) -> Iterator[Field]:
    """Give one difference as leaf fields: an added or removed subtree becomes one field a leaf."""
    path = tuple(str(part) for part in level.path(output_format="list"))
    before, after = _side(level.t1), _side(level.t2)
    old = dict(leaves(before, path)) if before is not ABSENT else {}
    new = dict(leaves(after, path)) if after is not ABSENT else {}
    for each in sorted(old.keys() | new.keys()):
        yield Field(each, _known(old.get(each, ABSENT)), _known(new.get(each, ABSENT)))


def _side(value: Any) -> Any:
    return ABSENT if type(value).__name__ == "NotPresent" else value


def _known(value: Any) -> Any:
    if isinstance(value, str) and value.startswith(_MARK):
        return Unknown(Key.parse(value[len(_MARK) :]))
    if isinstance(value, str) and value.startswith(_MASK):
        return SENSITIVE
    return value
