"""Every object and every chart's values as mesh sends them: YAML, with secrets masked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from mesh.cli.views.escape import terminal
from mesh.cli.views.values import MASKED
from mesh.model import Key, Sensitive, Unknown
from mesh.sdk.document import Document
from mesh.world.yaml_documents import write


def manifests_text(documents: Mapping[Key, Iterable[Document]]) -> str:
    """Return a stream of YAML documents, each with its address and its remarks in comments above it."""
    return "".join(_document(key, each) for key, some in documents.items() for each in some)


def _document(key: Key, document: Document) -> str:
    comments = "".join(f"# {terminal(line)}\n" for line in (str(key), *document.remarks))
    return f"---\n{comments}" + ("" if document.body is None else write(plain(document.body)))


def plain(value: Any) -> Any:
    """Return data that YAML can write, with words in place of unknown and masked values."""
    match value:
        case Sensitive():
            return MASKED
        case Unknown():
            return str(value)
        case Mapping():
            return {str(name): plain(item) for name, item in value.items()}
        case list() | tuple():
            return [plain(item) for item in value]
    return value
