"""The secrets that this process knows, and the last filter before a text leaves it.

What holds a secret says so when it reads it: the mesh file, a kubeconfig, a release. Everything that is
printed or traced then passes `clean`. Plans, states and documents hide their secrets by structure, before
this filter: it is for texts of other programs, in which a secret may stand anywhere and in any encoding.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from typing import Any, TypeVar

from mesh.model.secret_forms import is_worth_hiding
from mesh.model.strike import strike

T = TypeVar("T")

_lock = threading.Lock()
_known: frozenset[str] = frozenset()
_public: frozenset[str] = frozenset()


def know(secrets: Iterable[str], *, public: Iterable[str] = ()) -> None:
    """Strike these texts out of everything from now on; names in `public` stay readable."""
    global _known, _public  # one process has one set of secrets, as it has one stdout
    with _lock:
        _public |= frozenset(public)
        _known |= frozenset(filter(is_worth_hiding, secrets))


def known() -> frozenset[str]:
    """Return the secrets that are struck out."""
    return _known - _public


def forget() -> None:
    """Forget every secret, at the end of a command."""
    global _known, _public  # likewise
    with _lock:
        _known = _public = frozenset()


def clean(text: str) -> str:
    """Return the text without the secrets that are known, and without what is one by its shape."""
    return strike(text, known())


def cleaned(value: T) -> T:
    """Return a value (a plan, for example) with every text in it clean; an equal one if nothing is struck."""
    return _cleaned(value, known())  # type: ignore[no-any-return]  # of the type that it was given


def _cleaned(value: Any, secrets: frozenset[str]) -> Any:
    match value:
        case Enum():
            return value
        case str():
            return strike(value, secrets)
        case Mapping():
            return {_cleaned(key, secrets): _cleaned(item, secrets) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return type(value)(_cleaned(item, secrets) for item in value)
    if not is_dataclass(value) or isinstance(value, type):
        return value
    parts = {each.name: getattr(value, each.name) for each in fields(value) if each.init}
    clean_parts = {name: _cleaned(part, secrets) for name, part in parts.items()}
    return value if clean_parts == parts else replace(value, **clean_parts)
