"""The parser's events to plain data; limits are checked while they stream in.

With nothing kept that is not needed, a bomb costs no more than its text. The only importer of yaml
for what people write; what machines write is read by `mesh.world.yaml_documents`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from mesh.config.source.document import Mark, Trail, dotted
from mesh.config.source.scalars import HIDDEN, ambiguity, plain, shown
from mesh.errors import Problem

MAX_DEPTH = 32
MAX_NODES = 50_000
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


class UnusableError(Exception):
    """Reading on makes no sense."""

    def __init__(self, mark: Mark, what: str, hint: str = "") -> None:
        self.mark, self.what, self.hint = mark, what, hint


class Composer:
    """Builds plain data from the parser's events and notes what is wrong on the way."""

    def __init__(self, text: str, file: str) -> None:
        self.parser, self.file = _Loader(text), file
        self.values: dict[Trail, Mark] = {}
        self.keys: dict[Trail, Mark] = {}
        self.problems: list[Problem] = []
        self.nodes = 0

    def document(self) -> Any:
        """Return the data of the only document; raise `UnusableError` if none can be had."""
        self._next()
        event = self._next()
        if isinstance(event, yaml.StreamEndEvent):
            raise UnusableError((1, 1), "is empty", "`mesh init` writes a starter")
        data = self._value(self._next(), ())
        self._next()
        event = self._next()
        if not isinstance(event, yaml.StreamEndEvent):
            self._wrong(event, (), "a second document begins here", "one file holds one document")
        if data is None:
            raise UnusableError((1, 1), "is empty", "`mesh init` writes a starter")
        return data

    def _next(self) -> Any:
        try:
            return self.parser.get_event()
        except yaml.MarkedYAMLError as error:
            at = error.problem_mark or error.context_mark
            mark = (at.line + 1, at.column + 1) if at else (1, 1)
            raise UnusableError(mark, f"is not valid YAML: {error.problem}", _advice(error)) from None
        except yaml.YAMLError:
            raise UnusableError((1, 1), "is not valid YAML") from None

    def _wrong(self, event: Any, trail: Trail, what: str, hint: str) -> None:
        if len(self.problems) == MAX_SLIPS:
            raise UnusableError(_mark(event), "has more mistakes like these", "mend them first")
        self.problems.append(Problem(self.file, *_mark(event), dotted(trail), what, hint))

    def _value(self, event: Any, trail: Trail) -> Any:
        self._inspect(event, trail)
        self.values.setdefault(trail, _mark(event))
        match event:
            case yaml.MappingStartEvent():
                value: Any = self._mapping(trail)
            case yaml.SequenceStartEvent():
                value = self._sequence(trail)
            case yaml.ScalarEvent():
                value = self._scalar(event, trail)
            case _:
                return None
        if event.tag and not isinstance(value, TAGS.get(event.tag, ())):
            hint = "write plain text, numbers, lists and maps"
            self._wrong(event, trail, f"tag {shown(event.tag)} is not allowed here", hint)
        return value

    def _inspect(self, event: Any, trail: Trail) -> None:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise UnusableError(
                _mark(event), f"has more than {MAX_NODES} values", "this is not the file you mean"
            )
        if len(trail) > MAX_DEPTH:
            raise UnusableError(_mark(event), f"is nested deeper than {MAX_DEPTH} levels", "flatten it")
        if getattr(event, "anchor", None):
            self._wrong(event, trail, "anchors and aliases are not allowed", "write the value out")

    def _sequence(self, trail: Trail) -> list[Any]:
        items: list[Any] = []
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            items.append(self._value(event, (*trail, len(items))))
        return items

    def _mapping(self, trail: Trail) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            key = self._key(event, trail)
            inner = (*trail, key)
            if key == "<<":
                self._wrong(event, trail, "merge keys are not allowed", "write the values out")
            elif key in found:
                what = f"duplicate key {shown(key)}"
                self._wrong(
                    event, inner, what, f"it is first on line {self.keys[inner][0]}; keep one of them"
                )
            self.keys.setdefault(inner, _mark(event))
            found.setdefault(key, self._value(self._next(), inner))
        found.pop("<<", None)
        return found

    def _key(self, event: Any, trail: Trail) -> str:
        self._inspect(event, trail)
        if not isinstance(event, yaml.ScalarEvent):
            hint = "nothing is filled in here; if `{{ }}` is meant as text, quote it"
            raise UnusableError(_mark(event), "a key must be text", hint)
        if not isinstance(self._scalar(event, (*trail, event.value)), str):
            self._wrong(event, trail, f"key {shown(event.value)} is not text", "quote it")
        return str(event.value)

    def _scalar(self, event: Any, trail: Trail) -> Any:
        text: str = event.value
        if hidden := HIDDEN.search(text):
            self._wrong(event, trail, f"holds the character U+{ord(hidden[0]):04X}", "remove the escape")
        if event.tag in TEXT_TAGS or not (event.implicit[0] or event.tag in TAGS):
            return text
        if complaint := ambiguity(text):
            self._wrong(event, trail, f"{shown(text)} {complaint}", "quote it if it is text")
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
