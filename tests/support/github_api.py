"""GitHub's own descriptions of its APIs, from npm: what a request and an answer may be."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from graphql import GraphQLSchema, build_schema, parse, validate
from jsonschema import Draft4Validator, validators
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT4

from tests.support.built_once import installed_once
from tests.support.forges import Sent

SOURCE = Path(__file__).parent / "github_api"
REST = Path("@octokit", "openapi", "generated", "api.github.com.json")
GRAPHQL = Path("@octokit", "graphql-schema", "schema.graphql")

Partial = validators.extend(Draft4Validator, {"required": lambda *_args: iter(())})
"""What a stand-in answers is a part of what GitHub does: of the right types, under names that exist."""


@cache
def packages() -> Path:
    """Return the folder of the pinned packages; npm installs them once, into the cache."""
    return installed_once(SOURCE) / "node_modules"


@cache
def description() -> Any:
    return json.loads((packages() / REST).read_text("utf-8"))


@cache
def schema() -> GraphQLSchema:
    # Assumed valid: it defines two fields of an enterprise twice.
    return build_schema((packages() / GRAPHQL).read_text("utf-8"), assume_valid=True, assume_valid_sdl=True)


def problems(sent: Sent) -> list[str]:
    """Return how a request differs from GitHub's description, and how its answer does."""
    if sent.path == "/graphql":
        return [error.message for error in validate(schema(), parse(sent.body["query"]))]
    found = _operation(sent.method, sent.path)
    if found is None:
        return [f"GitHub has no {sent.method} {sent.path}"]
    where, operation = found
    return [f"{sent.method} {sent.path}: {each}" for each in _differences(where, operation, sent)]


def _operation(method: str, path: str) -> tuple[list[str], Any] | None:
    """Return where an operation is described, and its description; a path without parameters wins."""
    for template in sorted(description()["paths"], key=lambda each: each.count("{")):
        parts = (re.escape(part) for part in re.split(r"\{[^}]*\}", template))
        if re.fullmatch("[^/]+".join(parts), path) and method.lower() in description()["paths"][template]:
            return ["paths", template, method.lower()], description()["paths"][template][method.lower()]
    return None


def _differences(where: list[str], operation: Any, sent: Sent) -> Iterator[str]:
    names = {_resolved(each)["name"] for each in operation.get("parameters", ()) if _is_query(each)}
    yield from (f"no parameter {name}" for name, _ in parse_qsl(sent.query) if name not in names)
    if sent.body is not None:
        content = [*where, "requestBody", "content", "application/json", "schema"]
        yield from _by_schema(Draft4Validator, content, sent.body)
    code = next(code for code in operation["responses"] if code.startswith("2"))
    answer = _resolved(operation["responses"][code])
    if isinstance(sent.answer, dict | list) and "content" in answer and sent.answer:
        content = [*where, "responses", code, "content", "application/json", "schema"]
        yield from (f"answer: {text}" for text in _by_schema(Partial, content, sent.answer))
        yield from (
            f"answer: {text}"
            for text in _unknown(answer["content"]["application/json"]["schema"], sent.answer)
        )


def _by_schema(validator: Any, where: list[str], value: Any) -> Iterator[str]:
    pointer = "/".join(part.replace("~", "~0").replace("/", "~1") for part in where)
    registry = Registry().with_resource("urn:github", Resource(description(), DRAFT4))
    asked = validator({"$ref": f"urn:github#/{pointer}"}, registry=registry)
    for error in asked.iter_errors(value):
        yield f"{'.'.join(map(str, error.absolute_path))}: {error.message[:200]}"


def _unknown(schema_: Any, value: Any, at: str = "") -> Iterator[str]:
    """Yield each name in a value that its schema does not have."""
    schema_ = _resolved(schema_)
    for part in ("allOf", "anyOf", "oneOf"):
        if part in schema_:
            schema_ = {**schema_, **_resolved(schema_[part][0])}
    if isinstance(value, list):
        for item in value:
            yield from _unknown(schema_.get("items", {}), item, f"{at}[]")
    if isinstance(value, Mapping) and "properties" in schema_:
        for name, inner in value.items():
            if name not in schema_["properties"]:
                yield f"{at}.{name} is not a property"
            else:
                yield from _unknown(schema_["properties"][name], inner, f"{at}.{name}")


def _is_query(parameter: Any) -> bool:
    return bool(_resolved(parameter)["in"] == "query")


def _resolved(value: Any) -> Any:
    while "$ref" in value:
        part: Any = description()
        for name in value["$ref"].removeprefix("#/").split("/"):
            part = part[name.replace("~1", "/").replace("~0", "~")]
        value = part
    return value
