"""Find the secrets in chart values by path, before values are compared, shown or recorded."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from mesh.model import Path, Sensitive
from mesh.model.diff import dotted, leaves, named

MASK = "***"
"""What stands in a text in place of a secret."""

SECRETIVE = re.compile(r"passw(or)?d|token|secret|credential|(^|[a-z_-])key$|^key|private", re.IGNORECASE)
PLAIN = re.compile(
    r"secret(Ref|Name|KeyRef)s?$|public|pull(Secrets|Policy)|^keyAlgorithm|tokenAudience|^topologyKey$",
    re.IGNORECASE,
)
GROUPS = re.compile(r"passw(or)?ds?$|credentials?$", re.IGNORECASE)
"""Keys with secret content, whatever the names inside."""

SWITCHES = frozenset({"", "true", "false"})
"""Values that are never masked: replacing them in a rendering would remove half of it."""


def mask(values: Any, listed: Collection[str] = (), at: Path = ()) -> Any:
    """Return the values with every secret wrapped; `listed` are the dotted paths from the mesh file.

    References to Secrets (`secretRef`, `imagePullSecrets`) are names, not secrets. In a list of named
    values (`env`), the name of the item decides.
    """
    if at and dotted(at) in listed:
        return Sensitive(values)
    if isinstance(values, Mapping):
        return {key: mask(value, listed, (*at, str(key))) for key, value in values.items()}
    if isinstance(values, list | tuple):
        return [mask(value, listed, (*at, part)) for part, value in named(values).items()]
    return Sensitive(values) if at and is_secret(at, values, listed) else values


def is_secret(path: Path, value: Any, listed: Collection[str]) -> bool:
    """Return whether the value at a path is a secret: listed, below `license`, or named like one."""
    if any(dotted(path[: n + 1]) in listed for n in range(len(path))):
        return True
    if isinstance(value, bool | None) or str(value) in SWITCHES or any(PLAIN.search(part) for part in path):
        return False
    return path[0] == "license" or bool(SECRETIVE.search(_name(path))) or any(map(GROUPS.search, path))


def _name(path: Path) -> str:
    """Return the name of a value: in a list item, `value` has the item's name, and `key` has none."""
    *_, before, name = ("", *path)
    if not any(part.startswith("[") for part in path):
        return name
    return before.strip("[]") if name == "value" else "" if name == "key" or name.startswith("[") else name


def secrets_in(value: Any) -> frozenset[str]:
    """Return every secret string of masked values, to be removed from renderings and messages."""
    if isinstance(value, Sensitive):
        return frozenset(_texts(value.reveal()))
    if isinstance(value, Mapping):
        return frozenset().union(*(secrets_in(item) for item in value.values()))
    if isinstance(value, list):
        return frozenset().union(*map(secrets_in, value))
    return frozenset()


def _texts(value: Any) -> Iterator[str]:
    """Yield every text in a value that the user listed as secret; it may contain several."""
    for _, leaf in leaves(value):
        if not isinstance(leaf, bool | None) and str(leaf) not in SWITCHES:
            yield str(leaf)


def reveal(value: Any) -> Any:
    """Undo `mask`, for the code that sends the values."""
    if isinstance(value, Sensitive):
        return value.reveal()
    if isinstance(value, Mapping):
        return {key: reveal(item) for key, item in value.items()}
    if isinstance(value, list):
        return [reveal(item) for item in value]
    return value
