"""Compare two plain values and return the fields that differ; the only importer of deepdiff.

Lists in which every item has a unique `name` (listeners, containers, env) are compared by name, as
the API server merges them. Other lists are compared as a whole if their lengths differ, and item by
item otherwise.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from typing import Any

from mesh.model import ABSENT, SENSITIVE, Attrs, Field, Key, Path, Sensitive, Unknown
from mesh.model.fingerprint import HIDDEN, fingerprint

_MARK = "\0known after "
_MASK = "\0sensitive "
_SALT = os.urandom(16)


def diff(before: Attrs, after: Attrs) -> tuple[Field, ...]:
    """Return the leaves that differ, in path order; () if the values are equal."""
    if _equal(before, after):
        return ()
    from deepdiff import DeepDiff

    hidden: dict[str, Sensitive] = {}
    tree = DeepDiff(
        *_pair(before, after, hidden),
        ignore_private_variables=False,
        threshold_to_diff_deeper=0,
        verbose_level=2,
        view="tree",
    )
    fields = [field for levels in tree.values() for level in levels for field in _fields(level, hidden)]
    return tuple(sorted(fields, key=lambda field: field.path))


def _equal(one: Any, other: Any) -> bool:
    """Return whether two plain values are equal in JSON: 1 equals 1.0, and neither equals `true`."""
    match one, other:
        case (Sensitive(), _) | (_, Sensitive()):
            return _equal(_open(one), _open(other))
        case (bool(), _) | (_, bool()):
            return one is other
        case Mapping(), Mapping():
            return one.keys() == other.keys() and all(_equal(item, other[key]) for key, item in one.items())
        case list() | tuple(), list() | tuple():
            return len(one) == len(other) and all(map(_equal, one, other))
    return bool(one == other)


def _open(value: Any) -> Any:
    return _open(value.reveal()) if isinstance(value, Sensitive) else value


def leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield every leaf of a plain value with its path; empty containers are leaves."""
    items = named(value)
    if not items:
        yield path, value
        return
    for key, item in items.items():
        yield from leaves(item, (*path, str(key)))


def dotted(path: Path) -> str:
    """Return a path as one string; a part that contains a dot is quoted."""
    return ".".join(f'"{part}"' if "." in part else part for part in path)


def digest(value: Any, length: int = 12) -> str:
    """Return a short digest of a plain value, equal for equal values; "*" if it contains a secret.

    Secrets are never digested: a secret that a person chose could be guessed from its digest.
    """
    if isinstance(value, Sensitive):
        return HIDDEN
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:length]


def fingerprints(attrs: Attrs) -> dict[str, str]:
    """Return the dotted path of every leaf with the digest of its value, as stored in the lockfile."""
    return {dotted(path): digest(value) for path, value in leaves(attrs)}


def named(value: Any) -> Mapping[str, Any]:
    """Return a container as a mapping: a list of named items by name, other lists by index."""
    if isinstance(value, dict):  # first, since to ask for a Mapping costs more
        return value
    if isinstance(value, str | int | None):
        return {}
    if isinstance(value, Mapping):
        return value
    if not isinstance(value, list | tuple) or not value:
        return {}
    names = [item.get("name") if isinstance(item, Mapping) else None for item in value]
    if all(isinstance(name, str) for name in names) and len(set(names)) == len(names):
        return {f"[{name}]": item for name, item in zip(names, value, strict=True)}
    return {f"[{index}]": item for index, item in enumerate(value)}


def _pair(one: Any, other: Any, hidden: dict[str, Sensitive]) -> tuple[Any, Any]:
    """Return two values as deepdiff compares them: where one is hidden, the other is hidden, too.

    Hidden values are compared by what they are. Their marks lead back to them, by way of `hidden`.
    """
    if isinstance(one, Sensitive) or isinstance(other, Sensitive):
        return _mark(one, hidden), _mark(other, hidden)
    left, right = named(one), named(other)
    if not left or not right:
        return _comparable(one, hidden), _comparable(other, hidden)
    both = {key: _pair(left[key], right[key], hidden) for key in left if key in right}
    return (
        {key: both[key][0] if key in both else _comparable(item, hidden) for key, item in left.items()},
        {key: both[key][1] if key in both else _comparable(item, hidden) for key, item in right.items()},
    )


def _comparable(value: Any, hidden: dict[str, Sensitive]) -> Any:
    """Convert lists to mappings, unknown and hidden values to marks: deepdiff compares plain dicts only."""
    if isinstance(value, Unknown):
        return f"{_MARK}{value.after}"
    if isinstance(value, Sensitive):
        return _mark(value, hidden)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    items = named(value)
    return {key: _comparable(item, hidden) for key, item in items.items()} if items else value


def _mark(value: Any, hidden: dict[str, Sensitive]) -> Any:
    if isinstance(value, Unknown):
        return _comparable(value, hidden)
    mark = _MASK + fingerprint(_SALT, value)
    hidden.setdefault(mark, value if isinstance(value, Sensitive) else Sensitive(value))
    return mark


def _fields(level: Any, hidden: Mapping[str, Sensitive]) -> Iterator[Field]:
    """Return one difference as leaf fields: an added or removed subtree becomes one field per leaf."""
    path = tuple(str(part) for part in level.path(output_format="list"))
    before, after = _side(level.t1), _side(level.t2)
    old = dict(leaves(before, path)) if before is not ABSENT else {}
    new = dict(leaves(after, path)) if after is not ABSENT else {}
    for each in sorted(old.keys() | new.keys()):
        yield Field(each, _known(old.get(each, ABSENT), hidden), _known(new.get(each, ABSENT), hidden))


def _side(value: Any) -> Any:
    return ABSENT if type(value).__name__ == "NotPresent" else value


def _known(value: Any, hidden: Mapping[str, Sensitive]) -> Any:
    if isinstance(value, str) and value.startswith(_MARK):
        return Unknown(Key.parse(value[len(_MARK) :]))
    if isinstance(value, str) and value.startswith(_MASK):
        return hidden.get(value, SENSITIVE)
    return value
