"""What a helm process prints, as values; refused if it is not what helm prints.

A wrapper around helm, such as `helm … | tee log`, can end without an error although helm failed.
"""

from __future__ import annotations

from typing import Any

from mesh.model.bounded_text import Unfit, loads
from mesh.world import Object
from mesh.world import yaml_documents as documents
from mesh.world.shapes import fitted

RENDERED = {"kind!": str, "apiVersion!": str, "metadata": {"name": str, "namespace": str}}


def release_told(text: bytes) -> bytes:
    """Return the JSON that helm prints for a release; raise Unfit for anything else."""
    # Since 4.2.1 helm prints lines about the registry of a chart before it.
    start = text.find(b"{")
    if start < 0:
        raise Unfit("it printed nothing" if not text.strip() else "it printed no JSON")
    fitted(loads(text[start:]), dict)
    return text[start:]


def rendering(text: bytes) -> list[Object]:
    """Return the objects of a rendering; none for an empty text; raise Unfit for another one."""
    found: list[Any] = documents.read_all(text)
    return [fitted(document, RENDERED) for document in found]
