"""Keyed fingerprints of hidden values: they show whether a value has changed, and nothing else.

A plain digest of a password can be guessed offline, by everyone who reads the file that holds it. A
fingerprint is an HMAC under a key that is kept apart from the files which hold fingerprints: see
docs/decisions/0025-keyed-fingerprints.md.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

from mesh.model.resources import Sensitive, Unknown

HIDDEN = "*"
"""What stands for a hidden value when no key is at hand: it equals nothing and differs from nothing."""

_ID = b"mesh: name of this key"


def key_id(key: bytes) -> str:
    """Return the name of a key, by which two fingerprints show that they can be compared; "" without one."""
    return hmac.new(key, _ID, hashlib.sha256).hexdigest()[:8] if key else ""


def fingerprint(key: bytes, value: Any) -> str:
    """Return `hmac:KEY:DIGEST` of a plain value, hidden parts included; `*` without a key."""
    if not key:
        return HIDDEN
    text = json.dumps(_plain(value), sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return f"hmac:{key_id(key)}:{hmac.new(key, text.encode(), hashlib.sha256).hexdigest()[:32]}"


def is_same(one: str, other: str) -> bool | None:
    """Return whether two fingerprints are of equal values; None if that cannot be known."""
    mine, yours = one.split(":"), other.split(":")
    if len(mine) != 3 or len(yours) != 3 or mine[:2] != yours[:2]:
        return None
    return hmac.compare_digest(mine[2], yours[2])


def _plain(value: Any) -> Any:
    """Return a value as JSON has it: hidden parts revealed, numbers equal if JSON calls them equal."""
    match value:
        case Sensitive():
            return _plain(value.reveal())
        case Unknown():
            return {"known after": str(value.after)}
        case Mapping():
            return {str(name): _plain(item) for name, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case float() if value.is_integer():
            return int(value)
        case None | bool() | int() | float() | str():
            return value
    return repr(value)
