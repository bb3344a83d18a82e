"""One value as the plan shows it: scalars, nested data, unknown and masked values, long texts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from mesh.model import ABSENT, Field, ManifestChange, Unknown
from mesh.render.escape import terminal

MASKED = "(sensitive value)"
"""What stands in place of a secret; a value that is this very string prints without quotes."""


def inline(value: object) -> str:
    """Return a value in one line, harmless on a terminal: JSON, with unknowns and masks in words."""
    match value:
        case Unknown():
            return terminal(str(value))
        case str() if value == MASKED:
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
    return terminal(json.dumps(text, ensure_ascii=False))


def leaves(path: str, value: object) -> Iterator[tuple[str, object]]:
    """Yield nested data as (path, leaf), so that every line of an addition can be read alone."""
    match value:
        case Mapping() if value:
            for key, item in value.items():
                yield from leaves(_join(path, str(key)), item)
        case list() | tuple() if any(isinstance(item, Mapping) for item in value):
            for number, item in enumerate(value):
                yield from leaves(f"{path}[{number}]", item)
        case _:
            yield path, value


def _join(path: str, part: str) -> str:
    part = f'"{part}"' if "." in part else part
    return f"{path}.{part}" if path else part


def masked(field: Field, holder: str = "") -> Field:
    """Return the field with secrets replaced by `MASKED`.

    The kinds mask what they know. This is the second lock on the door: private keys anywhere, and
    the data of a Secret (`holder` is the `object` of a manifest change).
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
            return MASKED
        case bytes():
            return MASKED
    return value


def is_text(value: object) -> bool:
    """Whether a value is best shown as lines of text."""
    return isinstance(value, str) and "\n" in value.rstrip("\n")


def adds(field: Field) -> bool:
    """Whether the field was not there before."""
    return field.before is ABSENT


def removes(field: Field) -> bool:
    """Whether the field is not there afterwards."""
    return field.after is ABSENT
