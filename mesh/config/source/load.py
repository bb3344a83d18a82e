"""YAML text to a document that remembers the line and column of every key and value.

YAML is read far more strictly than its libraries do: what people commonly get wrong without being
told (duplicate keys, `no`, `010`), what a reviewer cannot see (bidirectional and zero-width
characters) and what grows without bound (anchors, depth) is a `Problem`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mesh.config.source.composer import Composer, UnusableError
from mesh.config.source.document import Document
from mesh.config.source.scalars import HIDDEN
from mesh.errors import InputError, Problem

MAX_BYTES = 1 << 20
MAX_PROBLEMS = 100


def load(path: Path) -> Document:
    """Read a file; raise `InputError` if it cannot be read or has no readable YAML in it."""
    return parse(read_bytes(path), str(path))


def load_foreign(path: Path) -> Any:
    """Read a file that follows other rules (a kubeconfig): its plain data, ambiguous words as text."""
    return load(path).data


def read_bytes(path: Path) -> bytes:
    """Read a small file; raise `InputError` that says why it cannot be."""
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise _unreadable(path, "no such file", "check the path; `mesh init` writes a starter") from None
    except IsADirectoryError:
        raise _unreadable(path, "is a folder", "name the file in it") from None
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "not a path"
        raise _unreadable(path, f"cannot be read: {why.lower()}", "check its owner and mode") from None
    if len(content) > MAX_BYTES:
        raise _unreadable(path, "is larger than 1 MiB", "this is not the file you mean, or split it")
    return content


def _unreadable(path: Path, what: str, hint: str) -> InputError:
    return InputError((Problem(str(path), 0, 0, "", what, hint),))


def parse(content: bytes, file: str) -> Document:
    """Return the document of some bytes; raise `InputError` if no data can be had from them."""
    if b"\0" in content:
        raise InputError((Problem(file, 1, 1, "", "is not text", "this is not the file you mean"),))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InputError((Problem(file, line, 1, "", "is not UTF-8 text", "save it as UTF-8"),)) from None
    hidden = tuple(_hidden(text, file))
    if hidden:
        raise InputError(hidden)
    composer = Composer(text, file)
    try:
        data = composer.document()
    except UnusableError as stop:
        fatal = Problem(file, *stop.mark, "", stop.what, stop.hint)
        raise InputError(tuple(sorted((*composer.problems, fatal)))) from None
    digest = hashlib.sha256(content).hexdigest()
    return Document(file, data, composer.values, composer.keys, tuple(composer.problems), digest)


def _hidden(text: str, file: str) -> Iterator[Problem]:
    for count, match in enumerate(HIDDEN.finditer(text)):
        if count == MAX_PROBLEMS:
            return
        line = text.count("\n", 0, match.start()) + 1
        col = match.start() - text.rfind("\n", 0, match.start())
        what = f"character U+{ord(match[0]):04X} cannot be seen"
        yield Problem(file, line, col, "", what, "remove it")
