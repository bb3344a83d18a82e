"""YAML text to a document that remembers the line and column of every key and value.

YAML is read far more strictly than its libraries do: what people commonly get wrong without being
told (duplicate keys, `no`, `010`), what a reviewer cannot see (bidirectional and zero-width
characters) and what grows without bound (anchors, depth) is a `Problem`. Limits are checked while
the events stream in, so that a bomb costs no more than its text. What machines write is read by
`mesh.world.documents`; no other module imports yaml.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from mesh.errors import InputError, Problem
from mesh.load_scalars import HIDDEN, ambiguity, plain, shown
from mesh.model import Origin

Trail = tuple[str | int, ...]
Mark = tuple[int, int]

MAX_BYTES = 1 << 20
MAX_DEPTH = 32
MAX_NODES = 50_000
MAX_PROBLEMS = 100
MAX_SLIPS = 20
"""Mistakes of YAML itself after which reading on helps nobody."""
TAGS: Mapping[str, type] = {
    "!": object,
    "tag:yaml.org,2002:str": str,
    "tag:yaml.org,2002:int": int,
    "tag:yaml.org,2002:float": float,
    "tag:yaml.org,2002:bool": bool,
    "tag:yaml.org,2002:null": type(None),
    "tag:yaml.org,2002:map": dict,
    "tag:yaml.org,2002:seq": list,
}
TEXT_TAGS = ("!", "tag:yaml.org,2002:str")
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def dotted(trail: Trail) -> str:
    """Return a path as people write it: `spec.clusters[0].name`."""
    text = ""
    for part in trail:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            plain = re.fullmatch(r"[A-Za-z0-9_/-]{1,60}", part)
            text += ("." if text else "") + (part if plain else shown(part))
    return text


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML file as plain data, the marks of its values and keys, and what is wrong with it.

    `digest` is the SHA-256 of its bytes.
    """

    file: str
    data: Any
    values: Mapping[Trail, Mark] = field(default_factory=dict)
    keys: Mapping[Trail, Mark] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    digest: str = ""

    def origin(self, trail: Trail) -> Origin:
        """Return where a value is written; the nearest thing around it if it is not written."""
        while trail not in self.values and trail:
            trail = trail[:-1]
        return Origin(self.file, *self.values.get(trail, (1, 1)))

    def key_origin(self, trail: Trail) -> Origin:
        """Return where the key of a value is written; a list's item has no key, only its own mark."""
        return Origin(self.file, *self.keys[trail]) if trail in self.keys else self.origin(trail)

    def problem(self, trail: Trail, what: str, hint: str = "") -> Problem:
        """Say that a value is wrong."""
        at = self.origin(trail)
        return Problem(at.file, at.line, at.col, dotted(trail), what, hint)

    def key_problem(self, trail: Trail, what: str, hint: str = "") -> Problem:
        """Say that a key should not be there, or not have this name."""
        at = self.key_origin(trail)
        return Problem(at.file, at.line, at.col, dotted(trail), what, hint)


class _UnusableError(Exception):
    """Reading on makes no sense."""

    def __init__(self, mark: Mark, what: str, hint: str = "") -> None:
        self.mark, self.what, self.hint = mark, what, hint


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
    composer = _Composer(_Loader(text), file)
    try:
        data = composer.document()
    except _UnusableError as stop:
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


class _Composer:
    """Builds plain data from the parser's events and notes what is wrong on the way."""

    def __init__(self, parser: Any, file: str) -> None:
        self.parser, self.file = parser, file
        self.values: dict[Trail, Mark] = {}
        self.keys: dict[Trail, Mark] = {}
        self.problems: list[Problem] = []
        self.nodes = 0

    def document(self) -> Any:
        self.next()
        event = self.next()
        if isinstance(event, yaml.StreamEndEvent):
            raise _UnusableError((1, 1), "is empty", "`mesh init` writes a starter")
        data = self.value(self.next(), ())
        self.next()
        event = self.next()
        if not isinstance(event, yaml.StreamEndEvent):
            self.wrong(event, (), "a second document begins here", "one file holds one document")
        if data is None:
            raise _UnusableError((1, 1), "is empty", "`mesh init` writes a starter")
        return data

    def next(self) -> Any:
        try:
            return self.parser.get_event()
        except yaml.MarkedYAMLError as error:
            at = error.problem_mark or error.context_mark
            mark = (at.line + 1, at.column + 1) if at else (1, 1)
            raise _UnusableError(mark, f"is not valid YAML: {error.problem}", _advice(error)) from None
        except yaml.YAMLError:
            raise _UnusableError((1, 1), "is not valid YAML") from None

    def wrong(self, event: Any, trail: Trail, what: str, hint: str) -> None:
        if len(self.problems) == MAX_SLIPS:
            raise _UnusableError(_mark(event), "has more mistakes like these", "mend them first")
        self.problems.append(Problem(self.file, *_mark(event), dotted(trail), what, hint))

    def value(self, event: Any, trail: Trail) -> Any:
        self.inspect(event, trail)
        self.values.setdefault(trail, _mark(event))
        match event:
            case yaml.MappingStartEvent():
                value: Any = self.mapping(trail)
            case yaml.SequenceStartEvent():
                value = self.sequence(trail)
            case yaml.ScalarEvent():
                value = self.scalar(event, trail)
            case _:
                return None
        if event.tag and not isinstance(value, TAGS.get(event.tag, ())):
            hint = "write plain text, numbers, lists and maps"
            self.wrong(event, trail, f"tag {shown(event.tag)} is not allowed here", hint)
        return value

    def inspect(self, event: Any, trail: Trail) -> None:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise _UnusableError(
                _mark(event), f"has more than {MAX_NODES} values", "this is not the file you mean"
            )
        if len(trail) > MAX_DEPTH:
            raise _UnusableError(_mark(event), f"is nested deeper than {MAX_DEPTH} levels", "flatten it")
        if getattr(event, "anchor", None):
            self.wrong(event, trail, "anchors and aliases are not allowed", "write the value out")

    def sequence(self, trail: Trail) -> list[Any]:
        items: list[Any] = []
        while not isinstance(event := self.next(), yaml.SequenceEndEvent):
            items.append(self.value(event, (*trail, len(items))))
        return items

    def mapping(self, trail: Trail) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while not isinstance(event := self.next(), yaml.MappingEndEvent):
            key = self.key(event, trail)
            inner = (*trail, key)
            if key == "<<":
                self.wrong(event, trail, "merge keys are not allowed", "write the values out")
            elif key in found:
                what = f"duplicate key {shown(key)}"
                self.wrong(event, inner, what, f"it is first on line {self.keys[inner][0]}; keep one of them")
            self.keys.setdefault(inner, _mark(event))
            found.setdefault(key, self.value(self.next(), inner))
        found.pop("<<", None)
        return found

    def key(self, event: Any, trail: Trail) -> str:
        self.inspect(event, trail)
        if not isinstance(event, yaml.ScalarEvent):
            hint = "nothing is filled in here; if `{{ }}` is meant as text, quote it"
            raise _UnusableError(_mark(event), "a key must be text", hint)
        if not isinstance(self.scalar(event, (*trail, event.value)), str):
            self.wrong(event, trail, f"key {shown(event.value)} is not text", "quote it")
        return str(event.value)

    def scalar(self, event: Any, trail: Trail) -> Any:
        text: str = event.value
        if hidden := HIDDEN.search(text):
            self.wrong(event, trail, f"holds the character U+{ord(hidden[0]):04X}", "remove the escape")
        if event.tag in TEXT_TAGS or not (event.implicit[0] or event.tag in TAGS):
            return text
        if complaint := ambiguity(text):
            self.wrong(event, trail, f"{shown(text)} {complaint}", "quote it if it is text")
            return text
        return plain(text)


def _advice(error: yaml.MarkedYAMLError) -> str:
    problem = error.problem or ""
    if "cannot start any token" in problem or "tab" in problem:
        return "indent with spaces, not tabs; quote text that begins with @, ` or %"
    if "mapping values are not allowed" in problem:
        return "quote text that holds a colon, or check the indentation"
    return error.context or ""


def _mark(event: Any) -> Mark:
    return event.start_mark.line + 1, event.start_mark.column + 1
