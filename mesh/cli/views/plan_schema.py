"""The JSON Schema of `plan_json`, written to `schemas/plan.schema.json`.

Every field is required and additional fields are allowed: a later minor version may add some.

`python -m mesh.cli.views.plan_schema > schemas/plan.schema.json` updates the file; a test compares
the two.
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
_PATH: Json = {"description": "the parts of a path in the attributes", **_TEXTS}


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
    "address": {
        **_TEXT,
        "description": "kind/cluster/name; the cluster is `-` for a resource that belongs to no cluster",
    },
    "kind": _TEXT,
    "cluster": _TEXT,
    "name": _TEXT,
}
_CHANGE = _record(
    "The change: `before` and `after` contain only the fields that differ",
    {
        "actions": {
            "description": "search for `delete` to find every destroyed resource",
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
        "after_unknown": {
            **_OBJECT,
            "description": "`true` at every leaf with a value that an earlier step produces",
        },
        "after_sensitive": {
            **_OBJECT,
            "description": "`true` at every leaf with a sensitive value, which is not shown",
        },
        "paths": {"type": "array", "items": _PATH},
        "known_after": {**_TEXTS, "description": "the addresses that produce the unknown values"},
        "touched": {
            "type": "array",
            "items": _record("The last writer of a field", {"path": _PATH, "manager": _TEXT, "time": _TEXT}),
        },
    },
)
_RESOURCE = _record(
    "One step of the plan; steps are in an order that respects `needs`",
    {
        **_ADDRESS,
        "action_reason": {"enum": [reason.name.lower() for reason in Reason]},
        "why": {**_TEXT, "description": "completes the reason"},
        "notes": _TEXTS,
        "needs": {**_TEXTS, "description": "addresses of the steps that must run first"},
        "change": {"$ref": "#/definitions/change"},
        "manifests": _list("manifest"),
    },
)
_MANIFEST = _record(
    "The change of one object in a chart's new rendering",
    {
        "kind": _TEXT,
        "name": {**_TEXT, "description": "namespace/name"},
        "change": {"$ref": "#/definitions/change"},
    },
)
_SUMMARY = _record(
    "Number of steps; a replacement counts as an addition and as a removal",
    dict.fromkeys((*(each.name for each in fields(Counts)), "unchanged"), _NUMBER),
)
_PROPERTIES: Json = {
    "format_version": {"type": "string", "pattern": rf"^{FORMAT_VERSION.partition('.')[0]}\.[0-9]+$"},
    "mesh_version": _TEXT,
    "mesh": _TEXT,
    "digest": {**_TEXT, "description": "covers the steps; equal plans have equal digests"},
    "serial": {**_NUMBER, "description": "serial of the lockfile that the plan is based on"},
    "lineage": _TEXT,
    "clusters": {
        "type": "object",
        "additionalProperties": _record(
            "A cluster", {"uid": {**_TEXT, "description": "uid of the namespace kube-system"}}
        ),
    },
    "resource_changes": _list("resource_change"),
    "in_short": {**_TEXTS, "description": "what changes, in words"},
    "folds": {
        "type": "array",
        "description": "the changes again: what is the same in several clusters but for their names, once",
        "items": _record(
            "One or more resource changes; each address is in one fold",
            {
                "address": {**_TEXT, "description": "`*` stands for the clusters"},
                "actions": _TEXTS,
                "clusters": _TEXTS,
                "addresses": _TEXTS,
                "like": {
                    "type": ["string", "null"],
                    "description": "the larger fold of the same resource that this one differs from",
                },
            },
        ),
    },
    "not_ready": {
        "type": "array",
        "items": _record("In sync, but not ready yet", {**_ADDRESS, "why": _TEXT, "notes": _TEXTS}),
    },
    "deferred_changes": {
        "type": "array",
        "items": _record("Cannot be planned now", {**_ADDRESS, "why": _TEXT}),
    },
    "unread": {
        "type": "array",
        "items": _record("A cluster that could not be read", {"cluster": _TEXT, "why": _TEXT}),
    },
    "left": {
        "type": "array",
        "items": _record(
            "An object that is left to its owner; unchanged and not counted",
            {**_ADDRESS, "owner": _TEXT, "where": {**_TEXT, "description": "namespace/name"}},
        ),
    },
    "as_of_last_apply": {
        **_TEXTS,
        "description": "addresses compared with the last apply, because this identity cannot read Secrets",
    },
    "summary": {"$ref": "#/definitions/summary"},
    "warnings": _TEXTS,
    "confirm": {**_TEXTS, "description": "clusters that an apply asks to confirm by name"},
    "skipped_checks": {**_TEXTS, "description": "ids of the pre-flight checks that apply skips"},
    "targets": {**_TEXTS, "description": "the patterns of --target"},
    "excludes": {**_TEXTS, "description": "the patterns of --exclude"},
    "applyable": {**_FLAG, "description": "whether an apply would change or wait for something"},
    "complete": {
        **_FLAG,
        "description": "whether everything was read, and nothing was deferred or left out by an option",
    },
    "errored": _FLAG,
}


def plan_schema() -> Json:
    """Return the schema (draft 7, which all editors and validators support)."""
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
    """Return the schema as the text of its file."""
    return json.dumps(plan_schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(schema_text())
