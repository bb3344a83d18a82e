"""What `mesh show --manifests` prints for a resource: YAML documents with comments above them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML document, with remarks in comments above it; no body means that mesh sends nothing.

    Values that must not be printed are `Sensitive`, values that only a cluster knows are `Unknown`.
    """

    body: Mapping[str, Any] | None
    remarks: tuple[str, ...] = ()


def nothing(why: str) -> Document:
    """Return the document of a resource for which nothing is printed, and why."""
    return Document(None, (why,))
