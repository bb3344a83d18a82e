"""The JSON Schema of a saved plan, written to `schemas/saved-plan.schema.json`.

`python -m mesh.cli.views.saved_schema > schemas/saved-plan.schema.json` updates the file; a test compares
the two.
"""

from __future__ import annotations

import sys
from dataclasses import fields
from typing import Any

from mesh.cli.views.plan_file import CHECKSUM, PART, VERSION
from mesh.cli.views.plan_schema import plan_schema
from mesh.model import Asked, Review
from mesh.model.printable import json_text

Json = dict[str, Any]

_TEXT: Json = {"type": "string"}
_TEXTS: Json = {"type": "array", "items": _TEXT}
_NUMBER: Json = {"type": "integer", "minimum": 0}
_MAP: Json = {"type": "object", "additionalProperties": _TEXT}
_ADDRESS: Json = {"description": "kind, cluster, name", **_TEXTS}


def _record(properties: Json, description: str = "") -> Json:
    told = {"description": description} if description else {}
    return {**told, "type": "object", "properties": properties, "required": list(properties)}


_ASKED = _record(
    {
        each.name: {"type": "boolean"} if each.default is False else _TEXT if each.default == "" else _TEXTS
        for each in fields(Asked)
    },
    "the options that the plan was made with",
)
_REVIEW = _record(
    {each.name: _TEXT if each.default == "" else _MAP for each in fields(Review)},
    "digests of what the step sends, hides, touches and reads; those of hidden values are keyed",
)
_STEP = _record(
    {
        "address": _ADDRESS,
        "action": _TEXT,
        "reason": _TEXT,
        "fields": {"type": "array"},
        "needs": {"type": "array", "items": _ADDRESS},
        "notes": _TEXTS,
        "manifests": {"type": "array"},
        "why": _TEXT,
        "pause": {"type": "number"},
        "gate": _TEXTS,
        "review": _REVIEW,
        "usual": {"type": "array", "description": "paths of fields that the guide gives"},
    }
)
_SAVED = _record(
    {
        "version": {"const": VERSION},
        "mesh": _TEXT,
        "digest": _TEXT,
        "config": {**_TEXT, "description": "digest of the resolved mesh file and its values files"},
        "serial": _NUMBER,
        "lineage": _TEXT,
        "clusters": {**_MAP, "description": "UID of kube-system in each cluster"},
        "tools": {**_MAP, "description": "versions of mesh and helm"},
        "key": {**_TEXT, "description": "names the key of the fingerprints; tells nothing of it"},
        "asked": _ASKED,
        "entries": _NUMBER,
        "fleet": {"type": "object", "description": "names and context of each cluster, by role; no server"},
        "unread": {**_MAP, "description": "clusters that could not be read, and why"},
        "destroying": {"type": "boolean"},
        "unchanged": _NUMBER,
        "warnings": _TEXTS,
        "confirm": _TEXTS,
        "skipped_checks": _TEXTS,
        "recorded": {"type": "array", "items": _ADDRESS},
        "deferred": {"type": "array"},
        "left": {"type": "array"},
        "steps": {"type": "array", "items": _STEP},
    },
    "the same plan without loss, for `mesh apply` and `mesh show`",
)


def saved_schema() -> Json:
    """Return the schema (draft 7): that of a plan, and the saved part."""
    plan = plan_schema()
    return {
        **plan,
        "title": "mesh saved plan",
        "description": "What `mesh plan --out plan.json` saves",
        "properties": {**plan["properties"], PART: _SAVED, CHECKSUM: _TEXT},
        "required": [*plan["required"], PART, CHECKSUM],
    }


def schema_text() -> str:
    """Return the schema as the text of its file."""
    return json_text(saved_schema(), indent=2) + "\n"


if __name__ == "__main__":
    sys.stdout.write(schema_text())
