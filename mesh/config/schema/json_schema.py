"""The JSON Schema of a mesh file, generated from the models and shortened for editors."""

from __future__ import annotations

from typing import Any

from mesh.config.schema.mesh_file import MeshPart

DRAFT = "http://json-schema.org/draft-07/schema#"


def json_schema() -> dict[str, Any]:
    """Return the schema (draft 7); it checks structure, not the rules that span several fields."""
    schema = _tidy(MeshPart.model_json_schema(by_alias=True, ref_template="#/definitions/{model}"))
    definitions = schema.pop("$defs")
    return {"$schema": DRAFT, "title": "Mesh", **schema, "definitions": definitions}


def _tidy(schema: dict[str, Any]) -> dict[str, Any]:
    """Remove titles and nulls: a key without a value is a mistake (see `source.partial.unset`)."""
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
