"""Compose plain data from YAML parser events; limits are checked while the events stream in.

Events are not kept, so a YAML bomb costs no more than its text. The only importer of yaml for
files that people write; `mesh.world.yaml_documents` reads files that programs write.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from mesh.config.source.document import Mark, Trail, dotted
from mesh.config.source.scalars import HIDDEN, ambiguity, plain, shown
from mesh.errors import Problem
from mesh.model.secret_names import is_secret_name

MAX_DEPTH = 32
MAX_NODES = 50_000
MAX_MISTAKES = 20
"""Number of YAML mistakes after which the parser stops."""
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
EXPLAINED = (
    (
        ("cannot start any token", ""),
        "this character cannot start a value",
        "indent with spaces, not tabs; quote text that begins with @, ` or %",
    ),
    (
        ("mapping values are not allowed", ""),
        "a key is not allowed here",
        "quote text that contains a colon, check the indentation, and write a plain space after each colon",
    ),
    (
        ("did not find expected ',' or '}'", "while parsing a flow mapping"),
        "this { has no matching }",
        "close it, or check the commas inside",
    ),
    (
        ("did not find expected ',' or ']'", "while parsing a flow sequence"),
        "this [ has no matching ]",
        "close it, or check the commas inside",
    ),
    (
        ("did not find expected '-' indicator", ""),
        "this line does not belong to the list before it",
        "indent it like the other items, and begin each item with -",
    ),
    (
        ("did not find expected key", ""),
        "this line does not belong to the map before it",
        "indent it like the other keys, and begin it with a key and a colon",
    ),
    (
        ("found unexpected end of stream", "while scanning a quoted scalar"),
        "this quotation mark has no matching one",
        "close the text with the same mark",
    ),
    (
        ("could not find expected ':'", ""),
        "a key has no colon",
        "write a colon and a plain space after each key, also on the line before",
    ),
)
"""Part of the parser's message and of its context, with the mistake and the hint to report instead."""
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class UnusableError(Exception):
    """The rest of the file cannot be parsed."""

    def __init__(self, mark: Mark, what: str, hint: str = "") -> None:
        self.mark, self.what, self.hint = mark, what, hint


class Composer:
    """Builds plain data from parser events and collects the problems it finds."""

    def __init__(self, text: str, file: str) -> None:
        self.parser, self.file = _Loader(text), file
        self.values: dict[Trail, Mark] = {}
        self.keys: dict[Trail, Mark] = {}
        self.problems: list[Problem] = []
        self.nodes = 0

    def document(self) -> Any:
        """Return the data of the only document; raise `UnusableError` if there is none."""
        self._next()
        event = self._next()
        if isinstance(event, yaml.StreamEndEvent):
            raise UnusableError((1, 1), "is empty", "run `mesh init` to create a mesh file")
        data = self._value(self._next(), ())
        self._next()
        event = self._next()
        if not isinstance(event, yaml.StreamEndEvent):
            self._wrong(event, (), "a second document begins here", "write one document per file")
        if data is None:
            raise UnusableError((1, 1), "is empty", "run `mesh init` to create a mesh file")
        return data

    def _next(self) -> Any:
        try:
            return self.parser.get_event()
        except yaml.MarkedYAMLError as error:
            at, what, hint = _explained(error)
            mark = (at.line + 1, at.column + 1) if at else (1, 1)
            raise UnusableError(mark, f"is not valid YAML: {what}", hint) from None
        except yaml.YAMLError:
            raise UnusableError((1, 1), "is not valid YAML") from None

    def _wrong(self, event: Any, trail: Trail, what: str, hint: str) -> None:
        if len(self.problems) == MAX_MISTAKES:
            raise UnusableError(_mark(event), "has more mistakes like these", "fix these first")
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
                _mark(event), f"has more than {MAX_NODES} values", "check that this is a mesh file"
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
            hint = "mesh files are not templates; quote `{{ }}` if it is meant as text"
            raise UnusableError(_mark(event), "a key must be text", hint)
        if not isinstance(self._scalar(event, (*trail, event.value)), str):
            self._wrong(event, trail, f"key {shown(event.value)} is not text", "quote it")
        return str(event.value)

    def _scalar(self, event: Any, trail: Trail) -> Any:
        text: str = event.value
        if hidden := HIDDEN.search(text):
            self._wrong(event, trail, f"contains the character U+{ord(hidden[0]):04X}", "remove the escape")
        if event.tag in TEXT_TAGS or not (event.implicit[0] or event.tag in TAGS):
            return text
        if complaint := ambiguity(text):
            is_hidden = any(is_secret_name(str(part)) for part in trail)
            named = "the value" if is_hidden else shown(text)
            self._wrong(event, trail, f"{named} {complaint}", "quote it if it is text")
            return text
        return plain(text)


def _explained(error: yaml.MarkedYAMLError) -> tuple[Any, str, str]:
    """Return the position, the mistake and the hint; the parser's own words where none are better."""
    problem, context = error.problem or "", error.context or ""
    for (part, around), what, hint in EXPLAINED:
        if part in problem and around in context:
            # What is never closed is noticed at the end of the file, but it begins at the context's mark.
            unclosed = error.context_mark if around else None
            return unclosed or error.problem_mark or error.context_mark, what, hint
    return error.problem_mark or error.context_mark, problem, context


def _mark(event: Any) -> Mark:
    return event.start_mark.line + 1, event.start_mark.column + 1
