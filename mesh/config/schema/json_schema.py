"""The JSON Schema of the document: what the models say, in the shortest form editors understand."""

from __future__ import annotations

from typing import Any

from mesh.config.schema.mesh_file import MeshPart

DRAFT = "http://json-schema.org/draft-07/schema#"


def json_schema() -> dict[str, Any]:
    """Return the schema (draft 7); what it lets through may still not fit together."""
    schema = _tidy(MeshPart.model_json_schema(by_alias=True, ref_template="#/definitions/{model}"))
    definitions = schema.pop("$defs")
    return {"$schema": DRAFT, "title": "Mesh", **schema, "definitions": definitions}


def _tidy(schema: dict[str, Any]) -> dict[str, Any]:
    """Leave out titles and nulls: a key without a value is a mistake (see `translate.unset`)."""
    tidy: dict[str, Any] = {}
    for key, value in schema.items():
        match key, value:
            case ("title", _) | ("default", None):
                pass
            case ("properties" | "$defs", dict()):
                tidy[key] = {name: _tidy(each) for name, each in value.items()}
            case ("anyOf" | "oneOf", list()):
                branches = [_tidy(each) for each in value if each != {"type": "null"}]
                tidy |= {key: branches} if len(branches) > 1 else branches[0]
            case (_, dict()):
                tidy[key] = _tidy(value)
            case _:
                tidy[key] = value
    return tidy
