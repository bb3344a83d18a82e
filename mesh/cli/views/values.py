"""Render one value of a plan: scalars, nested data, unknown and masked values, long texts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from mesh.cli.views.escape import terminal
from mesh.model import ABSENT, SENSITIVE, Field, ManifestChange, Path, Sensitive, Unknown
from mesh.model.diff import named

_encode = json.JSONEncoder(ensure_ascii=False).encode

MASKED = "(sensitive value)"
"""Printed in place of a secret."""


def inline(value: object) -> str:
    """Return a value as one line of JSON, safe for a terminal; unknown and masked values are in words."""
    match value:
        case Unknown():
            return terminal(str(value))
        case Sensitive():
            return MASKED
        case Mapping():
            return "{" + ", ".join(f"{_quoted(str(k))}: {inline(v)}" for k, v in value.items()) + "}"
        case list() | tuple():
            return "[" + ", ".join(inline(item) for item in value) + "]"
        case str():
            return _quoted(value)
        case None | bool() | int() | float():
            return json.dumps(value)
    return terminal(str(value))


def _quoted(text: str) -> str:
    return terminal(_encode(text))


def shown_path(path: Path) -> str:
    """Return a path in dotted form, safe for a terminal: `listeners[hbone].port`."""
    return terminal(Field(path, None, None).dotted)


def leaves(path: Path, value: object) -> Iterator[tuple[Path, object]]:
    """Yield the leaves of nested data, so that each line is readable alone; plain lists stay whole."""
    if isinstance(value, list | tuple) and not any(isinstance(item, Mapping) for item in value):
        yield path, value
        return
    parts = named(value)
    if not parts:
        yield path, value
    for part, item in parts.items():
        yield from leaves((*path, str(part)), item)


def masked(field: Field, holder: str = "") -> Field:
    """Return the field with secrets replaced by `SENSITIVE`.

    Kinds mask the secrets they know. This is a second barrier: it masks private keys anywhere, and
    the data of Secrets (`holder` is the `object` of a manifest change).
    """
    secret = holder.startswith("Secret ") and field.path[:1] in {("data",), ("stringData",)}
    return Field(field.path, _masked(field.before, secret), _masked(field.after, secret), field.touch)


def masked_fields(change: ManifestChange) -> tuple[Field, ...]:
    """Return the fields of a manifest change with secrets replaced."""
    return tuple(masked(field, change.object) for field in change.fields)


def _masked(value: Any, secret: bool) -> Any:  # noqa: FBT001  # what is known of the place
    match value:
        case Mapping():
            return {key: _masked(item, secret) for key, item in value.items()}
        case list() | tuple():
            return [_masked(item, secret) for item in value]
        case str() if secret or "PRIVATE KEY-----" in value:
            return SENSITIVE
        case bytes():
            return SENSITIVE
    return value


def is_text(value: object) -> bool:
    """Return whether to show a value as lines of text."""
    return isinstance(value, str) and "\n" in value.rstrip("\n")


def adds(field: Field) -> bool:
    """Return whether the field is added."""
    return field.before is ABSENT


def removes(field: Field) -> bool:
    """Return whether the field is removed."""
    return field.after is ABSENT
