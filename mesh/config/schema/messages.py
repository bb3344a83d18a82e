"""Translate pydantic's validation errors into messages with positions and hints."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from mesh.config.schema import patterns as forms
from mesh.config.schema.mesh_file import MeshPart
from mesh.config.source.document import Document, Trail
from mesh.config.source.load import MAX_PROBLEMS
from mesh.config.source.partial import STAND_INS
from mesh.config.source.scalars import shown
from mesh.errors import Problem


@dataclass(frozen=True, slots=True)
class Complaint:
    """A problem, the part to remove so that the rest can be validated, and the parts no longer checked."""

    problem: Problem
    gone: Trail
    lost: tuple[Trail, ...]


WANTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a map",
    "model_type": "a map",
    "model_attributes_type": "a map",
}
ELSEWHERE: Mapping[tuple[str, str], str] = {
    ("license", "value"): "do not write the licence key in this file: use env, file or secretRef",
    ("license", "key"): "do not write the licence key in this file: use env, file or secretRef",
    ("eastwest", "region"): "set region on the cluster",
    ("eastwest", "zone"): "set zone on the cluster",
    ("eastwest", "namespace"): "use namespaces.eastwest",
    ("rootOfTrust", "validity"): "use ca.generate.validity",
    ("rootOfTrust", "key"): "use ca.generate.key",
    ("istio", "hub"): "use images.hub",
    ("istio", "tag"): "use images.tag",
}


def complaints(error: ValidationError, doc: Document) -> list[Complaint]:
    """Return one complaint per validation error, in the order of the document's parts."""
    details = error.errors(include_url=False, include_context=True, include_input=True)
    return [_complaint(dict(each), doc) for each in details[: 2 * MAX_PROBLEMS]]


def _complaint(detail: Mapping[str, Any], doc: Document) -> Complaint:
    trail = _trail(detail["loc"], doc)
    match detail["type"]:
        case "missing":
            gone = trail if trail in STAND_INS else trail[:-1]
            return Complaint(doc.problem(trail, "is missing", _about(trail)), gone, (trail, gone))
        case "extra_forbidden":
            meant, hint = _unknown_key(trail)
            problem = doc.key_problem(trail, "unknown key", hint)
            return Complaint(problem, trail, (trail, (*trail[:-1], meant)))
        case _:
            return Complaint(doc.problem(trail, *_words(detail, trail)), trail, (trail,))


def _trail(loc: Iterable[str | int], doc: Document) -> Trail:
    """Return the path in the document: without union branches, and without an index into a single value."""
    trail: Trail = ()
    for part in loc:
        if not (isinstance(part, str) and part in ("<word>", "<list>", "<object>")):
            trail = (*trail, part)
    while trail and isinstance(trail[-1], int) and trail not in doc.values:
        trail = trail[:-1]
    return trail


def _words(detail: Mapping[str, Any], trail: Trail) -> tuple[str, str]:
    value, context = detail["input"], detail.get("ctx", {})
    match detail["type"]:
        case kind if kind in WANTED:
            return _wrong_type(value, trail, WANTED[kind])
        case "literal_error":
            return _wrong_word(value, re.findall(r"'([^']*)'", context["expected"]) or ["true"], trail)
        case "string_pattern_mismatch":
            what, hint = forms.WORDS[context["pattern"]]
            known = context["pattern"] in forms.SECRETIVE
            return ("this " if known else f"{shown(value)} ") + what, hint
        case "string_too_short":
            return "is empty", "write a value or remove the key"
        case "too_short":
            least = context["min_length"]
            return f"needs at least {least} item{'s' if least > 1 else ''}", _about(trail)
        case "too_long":
            return f"has more than {context['max_length']} items", "split it into several meshes"
        case "greater_than_equal":
            return f"must be {context['ge']} or more, is {value}", ""
        case "less_than_equal":
            return f"must be {context['le']} or less, is {value}", ""
        case _:
            return str(detail["msg"]).lower(), ""


def _wrong_type(value: object, trail: Trail, wanted: str) -> tuple[str, str]:
    if trail == ("spec", "links"):
        return f"must be full-mesh or a list, is {kind_of(value)}", "write `- between: [cluster1, cluster2]`"
    if value is None:
        return f"must be {wanted}, is empty", "write a value or remove the key"
    hint = "quote it" if wanted == "text" and isinstance(value, int | float) else ""
    if trail[-1:] in (("validity",), ("renewBefore",), ("pause",)):
        hint = forms.WORDS[forms.DURATION][1]
    if trail[-2:] == ("istio", "version"):
        hint = forms.WORDS[forms.VERSION][1]
    return f"must be {wanted}, is {kind_of(value)}", hint


def _wrong_word(value: object, expected: list[str], trail: Trail) -> tuple[str, str]:
    choice = expected[0] if len(expected) == 1 else f"one of {', '.join(expected)}"
    if trail == ("spec", "links"):
        choice += " or a list of links"
    if not isinstance(value, str):
        return f"must be {choice}, is {kind_of(value)}", ""
    return f"{shown(value)} is not {choice}", did_you_mean(value, expected)


def kind_of(value: object) -> str:
    """Return the YAML name of a value's type."""
    match value:
        case None:
            return "empty"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "text"
        case list():
            return "a list"
        case _:
            return "a map"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return a hint with the nearest known word; "" if none is near."""
    near = get_close_matches(word[:64].lower(), sorted(known), n=1, cutoff=0.6)
    return f"did you mean {near[0]}?" if near else ""


def _unknown_key(trail: Trail) -> tuple[str, str]:
    """Return the key that was probably meant ("" if unclear) and the hint."""
    key = str(trail[-1])
    outer = next((part for part in reversed(trail[:-1]) if isinstance(part, str)), "")
    if elsewhere := ELSEWHERE.get((outer, key)):
        return "", elsewhere
    known = keys_at(trail[:-1])
    by_lower = {each.lower(): each for each in known}
    near = get_close_matches(key[:64].lower(), list(by_lower), n=1, cutoff=0.6)
    if near:
        return by_lower[near[0]], f"did you mean {by_lower[near[0]]}?"
    return "", f"valid keys are {', '.join(known)}"


def _about(trail: Trail) -> str:
    """Return the description of the missing key."""
    for model in _models_at(trail[:-1]):
        for name, each in model.model_fields.items():
            if (each.alias or name) == trail[-1]:
                return each.description or ""
    return ""


def keys_at(trail: Trail) -> list[str]:
    """Return the keys that are valid at a path."""
    return [each.alias or name for model in _models_at(trail) for name, each in model.model_fields.items()]


def _models_at(trail: Trail) -> list[type[BaseModel]]:
    models: list[type[BaseModel]] = [MeshPart]
    for part in trail:
        if isinstance(part, str):
            annotations = [
                each.annotation
                for model in models
                for name, each in model.model_fields.items()
                if (each.alias or name) == part
            ]
            models = [inner for annotation in annotations for inner in _models_in(annotation)]
    return models


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models_in(inner)
