"""Parse YAML text into a document with the line and column of every key and value.

The parser is stricter than YAML libraries are: mistakes that they accept silently (duplicate keys,
`no`, `010`), characters that a reviewer cannot see (bidirectional, zero-width) and constructs that
grow without bound (anchors, depth) are each a `Problem`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from mesh.config.source.composer import Composer, UnusableError
from mesh.config.source.document import Document
from mesh.config.source.scalars import HIDDEN
from mesh.errors import InputError, Problem
from mesh.model.printable import quoted
from mesh.world.disk.input_file import leads_out, read_input

MAX_BYTES = 1 << 20
MAX_PROBLEMS = 100


def load(path: Path) -> Document:
    """Return the document of a file; raise `InputError` if the file is unreadable or not valid YAML."""
    return parse(read_bytes(path), str(path))


def load_foreign(path: Path) -> Any:
    """Return the plain data of a file that is not a mesh file (a kubeconfig); ambiguous words are text."""
    try:
        return load(path).data
    except InputError as error:
        found = (replace(each, hint="" if "mesh init" in each.hint else each.hint) for each in error.problems)
        raise InputError(tuple(found)) from None


def read_bytes(path: Path) -> bytes:
    """Return the bytes of a small file; raise `InputError` with the reason if it cannot be read."""
    try:
        return read_input(path, limit=MAX_BYTES)
    except FileNotFoundError:
        raise _unreadable(
            path, "no such file", "check the path, or run `mesh init` to create a mesh file"
        ) from None
    except IsADirectoryError:
        raise _unreadable(path, "is a folder", "name the file in it") from None
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "not a path"
        if why.startswith("is "):
            raise _unreadable(path, why, "check that this is the right file, or split it") from None
        raise _unreadable(path, f"cannot be read: {why.lower()}", "check its owner and mode") from None


@contextmanager
def linked(path: Path) -> Iterator[None]:
    """Replace the problems of a file behind a link that leads out of its folder: they quote its content.

    The link may lead to a file that is not meant for mesh, such as one with passwords.
    """
    try:
        yield
    except InputError as error:
        if not path.exists() or not leads_out(path):
            raise
        count = len(error.problems)
        what = f"is a link to {path.resolve()}, out of its folder, and that file has {count} problems"
        raise _unreadable(
            path, what, f"to see them, name it: mesh validate -f {quoted(str(path.resolve()))}"
        ) from None


def _unreadable(path: Path, what: str, hint: str) -> InputError:
    return InputError((Problem(str(path), 0, 0, "", what, hint),))


def parse(content: bytes, file: str) -> Document:
    """Return the document in the bytes of a file; raise `InputError` if they cannot be parsed."""
    if b"\0" in content:
        raise InputError((Problem(file, 1, 1, "", "is not text", "check that this is the right file"),))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        begin = content.rfind(b"\n", 0, error.start) + 1
        col = len(content[begin : error.start].decode("utf-8-sig")) + 1
        raise InputError((Problem(file, line, col, "", "is not UTF-8 text", "save it as UTF-8"),)) from None
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
        what = f"character U+{ord(match[0]):04X} is invisible"
        yield Problem(file, line, col, "", what, "remove it")
