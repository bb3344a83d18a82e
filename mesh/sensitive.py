"""Which chart values are secrets, by their path; used before anything is compared, shown or recorded."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from mesh.diff import dotted
from mesh.model import Path, Sensitive

SECRETIVE = re.compile(r"passw(or)?d|token|secret|credential|(^|[a-z_-])key$|^key|private", re.IGNORECASE)
PLAIN = re.compile(
    r"secret(Ref|Name|Key|s)?$|public|pull(Secrets|Policy)|^keyAlgorithm|tokenAudience", re.IGNORECASE
)


def mask(values: Any, listed: Collection[str] = (), at: Path = ()) -> Any:
    """Return the values with every secret wrapped; `listed` are dotted paths the user named.

    References to Secrets (`secretRef`, `imagePullSecrets`) are names, not secrets.
    """
    if isinstance(values, Mapping) and dotted(at) not in listed:
        return {key: mask(value, listed, (*at, str(key))) for key, value in values.items()}
    return Sensitive(values) if at and is_secret(at, values, listed) else values


def is_secret(path: Path, value: Any, listed: Collection[str]) -> bool:
    """Whether the value at a path is a secret: listed, below `license` or named like one."""
    if any(dotted(path[: n + 1]) in listed for n in range(len(path))):
        return True
    if not isinstance(value, str) or not value or any(PLAIN.search(part) for part in path):
        return False
    return path[0] == "license" or bool(SECRETIVE.search(path[-1]))


def secrets_in(value: Any) -> frozenset[str]:
    """Every secret string of a masked value, to be struck out of renderings and messages."""
    if isinstance(value, Sensitive):
        return frozenset({str(value.reveal())})
    if isinstance(value, Mapping):
        return frozenset().union(*(secrets_in(item) for item in value.values()))
    return frozenset()


def reveal(value: Any) -> Any:
    """Undo `mask`, for the one who sends the values."""
    if isinstance(value, Sensitive):
        return value.reveal()
    if isinstance(value, Mapping):
        return {key: reveal(item) for key, item in value.items()}
    return value
