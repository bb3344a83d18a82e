"""The JSON Schema of `plan_json`: the text of `schemas/plan.schema.json`.

Every field is required and others are allowed: a later minor version may add some.

Written to the file by `python -m mesh.cli.views.plan_schema > schemas/plan.schema.json`; a test
compares the two.
"""

from __future__ import annotations

import json
import sys
from dataclasses import fields
from typing import Any

from mesh.cli.views.counts import Counts
from mesh.cli.views.plan_json import FORMAT_VERSION
from mesh.model import Reason

Json = dict[str, Any]

_TEXT: Json = {"type": "string"}
_TEXTS: Json = {"type": "array", "items": _TEXT}
_NUMBER: Json = {"type": "integer", "minimum": 0}
_FLAG: Json = {"type": "boolean"}
_OBJECT: Json = {"type": "object"}
_PATH: Json = {"description": "the parts of a path into the attributes", **_TEXTS}


def _record(description: str, properties: Json) -> Json:
    return {
        "description": description,
        "type": "object",
        "properties": properties,
        "required": list(properties),
    }


def _list(of: str) -> Json:
    return {"type": "array", "items": {"$ref": f"#/definitions/{of}"}}


_ADDRESS: Json = {
    "address": {**_TEXT, "description": "kind/cluster/name; cluster `-` for what belongs to none"},
    "kind": _TEXT,
    "cluster": _TEXT,
    "name": _TEXT,
}
_CHANGE = _record(
    "What changes: `before` and `after` hold the fields that differ and no others",
    {
        "actions": {
            "description": "scan for `delete` to find everything that is destroyed",
            "enum": [
                ["no-op"],
                ["create"],
                ["update"],
                ["delete", "create"],
                ["delete"],
                ["forget"],
                ["read"],
            ],
        },
        "before": {"type": ["object", "null"]},
        "after": {"type": ["object", "null"]},
        "after_unknown": {**_OBJECT, "description": "`true` at every leaf that an earlier step will produce"},
        "after_sensitive": {**_OBJECT, "description": "`true` at every leaf whose value is withheld"},
        "paths": {"type": "array", "items": _PATH},
        "known_after": {**_TEXTS, "description": "the addresses that produce the unknown values"},
        "touched": {
            "type": "array",
            "items": _record("Who wrote a field last", {"path": _PATH, "manager": _TEXT, "time": _TEXT}),
        },
    },
)
_RESOURCE = _record(
    "One step of the plan, in an order that respects `needs`",
    {
        **_ADDRESS,
        "action_reason": {"enum": [reason.name.lower() for reason in Reason]},
        "why": {**_TEXT, "description": "completes the reason"},
        "notes": _TEXTS,
        "needs": {**_TEXTS, "description": "addresses that come first"},
        "change": {"$ref": "#/definitions/change"},
        "manifests": _list("manifest"),
    },
)
_MANIFEST = _record(
    "What a chart's new rendering does to one object",
    {
        "kind": _TEXT,
        "name": {**_TEXT, "description": "namespace/name"},
        "change": {"$ref": "#/definitions/change"},
    },
)
_SUMMARY = _record(
    "How many; a replacement counts as an addition and as a removal",
    dict.fromkeys((*(each.name for each in fields(Counts)), "unchanged"), _NUMBER),
)
_PROPERTIES: Json = {
    "format_version": {"type": "string", "pattern": rf"^{FORMAT_VERSION.partition('.')[0]}\.[0-9]+$"},
    "mesh_version": _TEXT,
    "mesh": _TEXT,
    "digest": {**_TEXT, "description": "covers the steps; equal plans have equal digests"},
    "serial": {**_NUMBER, "description": "of the lockfile the plan was made from"},
    "lineage": _TEXT,
    "clusters": {
        "type": "object",
        "additionalProperties": _record("A cluster", {"uid": {**_TEXT, "description": "of kube-system"}}),
    },
    "resource_changes": _list("resource_change"),
    "not_ready": {
        "type": "array",
        "items": _record("As wanted, but not working yet", {**_ADDRESS, "why": _TEXT, "notes": _TEXTS}),
    },
    "deferred_changes": {
        "type": "array",
        "items": _record("Could not be planned now", {**_ADDRESS, "why": _TEXT}),
    },
    "left": {
        "type": "array",
        "items": _record(
            "Stays with whoever made it, unchanged and not counted",
            {**_ADDRESS, "owner": _TEXT, "where": {**_TEXT, "description": "namespace/name"}},
        ),
    },
    "as_of_last_apply": {
        **_TEXTS,
        "description": "addresses judged by the record of the last apply: this identity may not read Secrets",
    },
    "summary": {"$ref": "#/definitions/summary"},
    "warnings": _TEXTS,
    "confirm": {**_TEXTS, "description": "clusters whose names an apply asks for"},
    "skipped_checks": {**_TEXTS, "description": "ids of the pre-flight checks that apply is to leave out"},
    "applyable": {**_FLAG, "description": "whether an apply has anything to do or to wait for"},
    "complete": {**_FLAG, "description": "whether nothing was deferred"},
    "errored": _FLAG,
}


def plan_schema() -> Json:
    """Return the schema (draft 7, which every editor and validator knows)."""
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "mesh plan",
        **_record("What `mesh plan --json` prints", _PROPERTIES),
        "definitions": {
            "change": _CHANGE,
            "manifest": _MANIFEST,
            "resource_change": _RESOURCE,
            "summary": _SUMMARY,
        },
    }


def schema_text() -> str:
    """Return the schema as the bytes of its file."""
    return json.dumps(plan_schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(schema_text())
