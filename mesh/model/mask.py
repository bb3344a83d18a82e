"""Find the secrets in chart values by structure, before values are compared, shown or recorded; pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from mesh.model.bounded_text import SMALL, Unfit, loads
from mesh.model.diff import dotted, leaves, named
from mesh.model.resources import Path, Sensitive
from mesh.model.secret_names import counts, is_reference, is_secret_name, words
from mesh.model.secret_shapes import secrets_in_text
from mesh.model.strike import STRUCK as MASK

__all__ = ["MASK", "SWITCHES", "is_secret_name", "mask", "mask_secret", "reveal", "secrets_in"]

SWITCHES = frozenset({"", "true", "false"})
"""Values that are never secrets: hiding them would remove half of a rendering."""

_GIVEN = frozenset({"value", "values", "default", "stringValue", "string_value", "valueString"})
"""The key of a value beside the key with its name: `{name: DB_PASS, value: …}`."""

_TITLES = ("name", "key", "Name", "Key", "variable", "env")
_ENV = re.compile(r"env(ironment)?(vars?|variables?)?s?$", re.IGNORECASE)
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a value is: `by` is the name above it that makes it a secret, "" for none."""

    path: Path
    by: str = ""
    in_list: bool = False
    in_reference: bool = False
    in_env: bool = False

    def below(self, key: str, holder: Mapping[str, Any]) -> _Place:
        """Return the place of a value in a mapping."""
        path = (*self.path, key)
        name = _leaf_name(key)
        if is_reference(name) and not (self.by and _is_container(holder[key]) and not _is_ref(name)):
            return _Place(path, in_reference=True)
        if name == "key" and (self.in_reference or "path" in holder or (self.in_list and not self.by)):
            return _Place(path)
        title = _title(key, holder)
        if title is None and self.in_env and key in _GIVEN:
            return _Place(path, key)
        by = self.by or next((each for each in (title, name) if each and is_secret_name(each)), "")
        return _Place(path, by, in_env=bool(_ENV.search(key)))


def _is_container(value: Any) -> bool:
    return isinstance(value, Mapping | list | tuple)


def _is_ref(name: str) -> bool:
    return words(name)[-1] in {"ref", "refs", "name", "names"}


def mask(values: Any, listed: Collection[str] = (), at: Path = (), *, lines: bool = True) -> Any:
    """Return the values with every secret wrapped; `listed` are the dotted paths from the mesh file.

    A secret is what a name of a secret stands above, at any depth, or what has the shape of one. Names and
    references (`secretRef`, `tokenTTL`) are readable. What is wrapped already stays as it is. Without
    `lines`, a text of several lines is not searched: the caller strikes secrets out of its lines.
    """
    return _Masking(frozenset(listed), lines).masked(values, _Place(at))


@dataclass(frozen=True, slots=True)
class _Masking:
    listed: frozenset[str]
    lines: bool

    def masked(self, value: Any, place: _Place) -> Any:
        if isinstance(value, Sensitive):
            return value
        if place.path and dotted(place.path) in self.listed:
            return Sensitive(value)
        if isinstance(value, Mapping):
            return {key: self.masked(item, place.below(str(key), value)) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return self._items(value, place)
        if not self.lines and not place.by and isinstance(value, str) and "\n" in value.strip():
            return value
        return Sensitive(value) if _is_secret(value, place) else value

    def _items(self, items: list[Any] | tuple[Any, ...], place: _Place) -> list[Any]:
        found: list[Any] = []
        before = ""
        for part, item in named(items).items():
            here = replace(place, path=(*place.path, part), in_list=True)
            found.append(self.masked(item, replace(here, by=here.by or before)))
            before = _option(item)
        return found


def _option(item: Any) -> str:
    """Return the name of an option of a secret that has its value in the next item: `["--token", "…"]`."""
    is_one = isinstance(item, str) and item.startswith("-") and "=" not in item and is_secret_name(item)
    return item if is_one else ""


def _title(key: str, holder: Mapping[str, Any]) -> str | None:
    """Return the name that an item of a list gives the value under `key`; None if it has no name."""
    if key not in _GIVEN:
        return ""
    return next((str(holder[each]) for each in _TITLES if isinstance(holder.get(each), str)), None)


def _leaf_name(key: str) -> str:
    """Return the name in a key that is a dotted path: that of the variable for `env.[DB_PASS].value`."""
    if ".[" not in key:
        return key
    *_, before, name = ("", *key.replace('"', "").split("."))
    return before.strip("[]") if name == "value" else "" if name == "key" else name.strip("[]")


def _is_secret(value: Any, place: _Place) -> bool:
    if isinstance(value, bool | None) or str(value) in SWITCHES:
        return False
    if not isinstance(value, str):
        return bool(place.by) and not counts(place.by)
    return bool(place.by) or bool(set(_inside(value)))


def _inside(text: str) -> Iterator[str]:
    """Yield the secrets in a text that holds more than one value: JSON, lines of `key: value`, a URL."""
    yield from (each for each in secrets_in_text(text) if each not in SWITCHES)
    if text.lstrip()[:1] in {"{", "["}:
        try:
            yield from _parts(mask(loads(text, SMALL)))
        except Unfit:
            return


def mask_secret(obj: Mapping[str, Any]) -> dict[str, Any]:
    """Return a Kubernetes Secret of which only name and type are readable.

    Labels and annotations may hold the values: `kubectl apply` writes the whole Secret into one.
    """
    metadata = dict(obj.get("metadata") or {})
    for part in ("annotations", "labels"):
        if part in metadata:
            metadata[part] = _metadata(metadata[part] or {})
    hidden = {part: _wrapped(obj[part]) for part in ("data", "stringData") if part in obj}
    return {**obj, "metadata": metadata, **hidden}


def _metadata(entries: Mapping[str, Any]) -> dict[str, Any]:
    shown = mask(entries)
    return {key: _wrapped(value) if key == _LAST_APPLIED else shown[key] for key, value in entries.items()}


def _wrapped(value: Any) -> Sensitive:
    return value if isinstance(value, Sensitive) else Sensitive(value)


def secrets_in(value: Any) -> frozenset[str]:
    """Return every secret string of masked values, to be removed from renderings and messages."""
    return frozenset(_parts(value))


def _parts(value: Any) -> Iterator[str]:
    if isinstance(value, Sensitive):
        for text in _texts(value.reveal()):
            yield text
            yield from _inside(text)
    elif isinstance(value, str | int | None):
        return
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _parts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _parts(item)


def _texts(value: Any) -> Iterator[str]:
    """Yield every text in a value that the user listed as secret; it may contain several."""
    for _, leaf in leaves(reveal(value)):
        if not isinstance(leaf, bool | None) and not _is_container(leaf) and str(leaf) not in SWITCHES:
            yield str(leaf)


def reveal(value: Any) -> Any:
    """Undo `mask`, for the code that sends or compares the values."""
    if isinstance(value, Sensitive):
        return reveal(value.reveal())
    if isinstance(value, Mapping):
        return {key: reveal(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [reveal(item) for item in value]
    return value
