"""A plan as a file that can be printed and applied later: canonical JSON without secrets.

The file has the fields of `mesh plan --json`, for people and programs, and beside them `saved_plan`: the
same plan without loss, and the digests by which an apply recognises it. A file is read only if both say the
same: what a person reviews is what an apply runs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from mesh.cli.views.plan_json import plan_json
from mesh.cli.views.values import masked, masked_fields
from mesh.errors import MeshError
from mesh.model import (
    ABSENT,
    SENSITIVE,
    Action,
    Asked,
    Deferral,
    Field,
    Key,
    Left,
    ManifestChange,
    Plan,
    Reason,
    Recorded,
    Review,
    Sensitive,
    Step,
    Touch,
    Unknown,
)
from mesh.model.bounded_text import Limits, Unfit, loads
from mesh.model.printable import json_text

VERSION = 1
PART, CHECKSUM = "saved_plan", "checksum"

Json = dict[str, Any]

_OF_THE_WRITER = frozenset({PART, "mesh_version", "format_version"})

BOUNDS = Limits(size=100_000_000, nodes=10_000_000)
"""The plan of a hundred clusters takes a few million bytes."""

AGAIN = "make it again with `mesh plan --out plan.json`"


def plan_file(plan: Plan) -> str:
    """Return a plan as the text of its file; equal plans give equal bytes.

    Raises MeshError for a plan that could not be read back: no one shall review what no apply will take.
    """
    body = {**plan_json(plan), PART: _saved(plan)}
    text = json_text({**body, CHECKSUM: _checksum(body)}, indent=1, sort_keys=True) + "\n"
    try:
        loads(text, BOUNDS)
    except Unfit as error:
        raise MeshError(f"this plan cannot be saved: {error}") from None
    return text


def read_plan(text: str, where: str) -> Plan:
    """Return the plan in a file; raise MeshError for a file that is foreign, newer, or damaged."""
    body = _parsed(text, where)
    damaged = MeshError(f"{where} is damaged or was changed by hand: its parts do not agree", hint=AGAIN)
    if body.pop(CHECKSUM, "") != _checksum(body):
        raise damaged
    try:
        plan = _plan(body[PART])
        shown = loads(json_text(plan_json(plan)), BOUNDS)
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
        raise damaged from None
    # The checksum does not sign anything. What a person reads in the file must be what an apply would run.
    if any(shown.get(name) != body[name] for name in body.keys() - _OF_THE_WRITER):
        raise damaged
    return plan


def _parsed(text: str, where: str) -> Json:
    try:
        body = loads(text, BOUNDS)
    except Unfit:
        raise MeshError(
            f"{where} is not a saved plan: it is not JSON, or it is cut off", hint=AGAIN
        ) from None
    part = body.get(PART) if isinstance(body, dict) else None
    if not isinstance(part, dict) or "version" not in part:
        raise MeshError(
            f"{where} is not a saved plan of mesh",
            hint="`mesh plan --out plan.json` saves one; the output of `mesh plan --json` cannot be applied",
        )
    if part["version"] != VERSION:
        raise MeshError(
            f"{where} has format {part['version']!r}, this mesh reads format {VERSION}",
            hint=f"use the mesh that wrote it, or {AGAIN}",
        )
    assert isinstance(body, dict)
    return body


def _checksum(body: Mapping[str, Any]) -> str:
    text = json_text(body, sort_keys=True)
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def _saved(plan: Plan) -> Json:
    return {
        "version": VERSION,
        "mesh": plan.mesh,
        "digest": plan.digest,
        "config": plan.config,
        "serial": plan.serial,
        "lineage": plan.lineage,
        "clusters": dict(plan.clusters),
        "tools": dict(plan.tools),
        "key": plan.key,
        "asked": {name: list(v) if isinstance(v, tuple) else v for name, v in asdict(plan.asked).items()},
        "entries": plan.entries,
        # Without the addresses of the API servers: the file may be attached to a public pull request.
        "fleet": {name: _public(each) for name, each in plan.fleet.items()},
        "unread": dict(plan.unread),
        "destroying": plan.destroying,
        "unchanged": plan.unchanged,
        "warnings": list(plan.warnings),
        "confirm": list(plan.confirm),
        "skipped_checks": list(plan.skipped_checks),
        "recorded": [_address(key) for key in plan.recorded],
        "deferred": [[_address(each.key), each.why] for each in plan.deferred],
        "left": [[_address(each.key), each.owner, each.where] for each in plan.left],
        "steps": [_step(step) for step in plan.steps],
    }


def _public(names: Mapping[str, str]) -> dict[str, str]:
    return {role: name for role, name in names.items() if role != "server"}


def _plan(saved: Json) -> Plan:
    return Plan(
        mesh=saved["mesh"],
        steps=tuple(map(_read_step, saved["steps"])),
        serial=saved["serial"],
        lineage=saved["lineage"],
        clusters=_texts(saved["clusters"]),
        deferred=tuple(Deferral(Key(*key), why) for key, why in saved["deferred"]),
        unchanged=saved["unchanged"],
        warnings=tuple(saved["warnings"]),
        digest=saved["digest"],
        confirm=tuple(saved["confirm"]),
        skipped_checks=tuple(saved["skipped_checks"]),
        left=tuple(Left(Key(*key), owner, where) for key, owner, where in saved["left"]),
        recorded=tuple(Key(*key) for key in saved["recorded"]),
        config=saved["config"],
        tools=_texts(saved["tools"]),
        key=saved["key"],
        asked=_asked(saved["asked"]),
        entries=saved["entries"],
        fleet={name: _texts(each) for name, each in saved["fleet"].items()},
        unread=_texts(saved["unread"]),
        destroying=saved["destroying"],
    )


def _asked(saved: Json) -> Asked:
    known: Json = {name: tuple(value) if isinstance(value, list) else value for name, value in saved.items()}
    return Asked(**known)


def _step(step: Step) -> Json:
    # Not `expects`: it holds a plain digest of attributes, and the plan is made again before it runs.
    return {
        "address": _address(step.key),
        "action": step.action.name.lower(),
        "reason": step.reason.name.lower(),
        "fields": [_field(masked(each)) for each in step.fields],
        "needs": sorted(map(_address, step.needs)),
        "notes": list(step.notes),
        "manifests": [_manifest(each) for each in step.manifests],
        "why": step.why,
        "pause": step.pause,
        "gate": list(step.gate),
        "review": {each.name: _plain(getattr(step.review, each.name)) for each in fields(Review)},
        "usual": sorted(map(list, step.usual)),
    }


def _read_step(saved: Json) -> Step:
    return Step(
        action=Action[saved["action"].upper()],
        key=Key(*saved["address"]),
        reason=Reason[saved["reason"].upper()],
        fields=tuple(map(_read_field, saved["fields"])),
        needs=frozenset(Key(*key) for key in saved["needs"]),
        notes=tuple(saved["notes"]),
        manifests=tuple(map(_read_manifest, saved["manifests"])),
        why=saved["why"],
        pause=saved["pause"],
        gate=tuple(saved["gate"]),
        review=_review(saved["review"]),
        usual=frozenset(tuple(path) for path in saved["usual"]),
    )


def _review(saved: Json) -> Review:
    known: Json = {name: value if isinstance(value, str) else _texts(value) for name, value in saved.items()}
    return Review(**known)


def _texts(saved: Any) -> dict[str, str]:
    if not isinstance(saved, dict) or not all(isinstance(value, str) for value in saved.values()):
        raise TypeError("not a mapping of texts")
    return saved


def _address(key: Key) -> list[str]:
    return [key.kind, key.cluster, key.name]


def _plain(value: Any) -> Any:
    return dict(value) if isinstance(value, Mapping) else value


def _manifest(change: ManifestChange) -> Json:
    shown = [_field(each) for each in masked_fields(change)]
    return {"object": change.object, "action": change.action.name.lower(), "fields": shown}


def _read_manifest(saved: Json) -> ManifestChange:
    action = Action[saved["action"].upper()]
    return ManifestChange(saved["object"], action, tuple(map(_read_field, saved["fields"])))


def _field(field: Field) -> Json:
    touch = field.touch
    return {
        "path": list(field.path),
        "before": _value(field.before),
        "after": _value(field.after),
        **({"touch": [list(touch.path), touch.manager, touch.time]} if touch else {}),
    }


def _read_field(saved: Json) -> Field:
    touch = None
    if "touch" in saved:
        path, manager, time = saved["touch"]
        touch = Touch(tuple(path), manager, time)
    return Field(tuple(saved["path"]), _read_value(saved["before"]), _read_value(saved["after"]), touch)


def _value(value: Any) -> Any:
    """Return a value as JSON data from which `_read_value` makes the same: mappings are tagged."""
    match value:
        case None | bool() | int() | float() | str():
            return value
        case list() | tuple():
            return [_value(item) for item in value]
        case Mapping():
            # As pairs: the order of the keys is that of the printed plan, and stays.
            return {"map": [[str(key), _value(item)] for key, item in value.items()]}
        case Sensitive():
            return {"sensitive": True}
        case Unknown():
            return {"unknown": _address(value.after)}
        case Recorded():
            return {"recorded": True}
    return {"absent": True} if value is ABSENT else str(value)


def _read_value(saved: Any) -> Any:
    match saved:
        case list():
            return [_read_value(item) for item in saved]
        case {"map": pairs}:
            return {key: _read_value(item) for key, item in pairs}
        case {"sensitive": True}:
            return SENSITIVE
        case {"unknown": address}:
            return Unknown(Key(*address))
        case {"recorded": True}:
            return Recorded()
        case {"absent": True}:
            return ABSENT
        case dict():
            raise ValueError("unknown tag")
    return saved
