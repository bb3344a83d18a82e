"""A plan as JSON: the structure of Terraform's JSON plan, with mesh's addresses.

`format_version`: the minor number grows when a field is added, the major number when an existing
field changes its meaning. A reader must reject a major number that it does not know.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from mesh import __version__
from mesh.cli.views.counts import clusters_of, count
from mesh.cli.views.values import MASKED, masked, masked_fields
from mesh.istio.plan_summary import plan_summary
from mesh.model import (
    ABSENT,
    Action,
    Deferral,
    Field,
    Key,
    ManifestChange,
    Plan,
    Sensitive,
    Step,
    Unknown,
    printable,
)
from mesh.model.refs import unknowns_in
from mesh.planner.fold import fold

FORMAT_VERSION = "1.2"

Json = dict[str, Any]

_ACTIONS = {
    Action.NOOP: ["no-op"],
    Action.CREATE: ["create"],
    Action.UPDATE: ["update"],
    Action.REPLACE: ["delete", "create"],
    Action.DELETE: ["delete"],
    Action.READ: ["read"],
    Action.FORGET: ["forget"],
}


def plan_json(plan: Plan) -> Json:
    """Return the plan as JSON data without secrets; equal plans give equal data in the same order."""
    return {
        "format_version": FORMAT_VERSION,
        "mesh_version": __version__,
        "mesh": plan.mesh,
        "digest": plan.digest,
        "serial": plan.serial,
        "lineage": plan.lineage,
        "clusters": {name: {"uid": plan.clusters.get(name, "")} for name in clusters_of(plan)},
        "resource_changes": [_resource(step) for step in plan.steps if step.action is not Action.READ],
        "in_short": list(plan_summary(plan)),
        "folds": _folds(plan),
        "not_ready": [_not_ready(step) for step in plan.steps if step.action is Action.READ],
        "deferred_changes": [_deferred(each) for each in plan.deferred],
        "unread": [{"cluster": name, "why": why} for name, why in sorted(plan.unread.items())],
        "left": [{**_address(each.key), "owner": each.owner, "where": each.where} for each in plan.left],
        "as_of_last_apply": [str(key) for key in plan.recorded],
        "summary": {**asdict(count(plan.steps, plan.deferred)), "unchanged": plan.unchanged},
        "warnings": list(plan.remarks),
        "confirm": list(plan.confirm),
        "skipped_checks": list(plan.skipped_checks),
        "targets": list(plan.asked.targets),
        "excludes": list(plan.asked.excludes),
        "applyable": any(step.action is not Action.NOOP for step in plan.steps),
        "complete": plan.complete and not plan.is_partial,
        "errored": plan.blind,
    }


def json_text(data: object) -> str:
    """Return JSON data as indented ASCII text, so that a terminal interprets none of it."""
    return printable.json_text(data, indent=2) + "\n"


def _address(key: Key) -> Json:
    return {"address": str(key), "kind": key.kind, "cluster": key.cluster, "name": key.name}


def _resource(step: Step) -> Json:
    return {
        **_address(step.key),
        "action_reason": step.reason.name.lower(),
        "why": step.why,
        "notes": list(step.notes),
        "needs": [str(key) for key in sorted(step.needs)],
        "change": _change(step.action, tuple(masked(field) for field in step.fields)),
        "manifests": [_manifest(change) for change in step.manifests],
    }


def _folds(plan: Plan) -> list[Json]:
    """Return what is the same in several clusters; every address is in exactly one fold."""
    folds = fold((step for step in plan.steps if step.action is not Action.READ), plan.fleet)
    return [
        {
            "address": str(each.template.key),
            "actions": _ACTIONS[each.template.action],
            "clusters": list(each.clusters),
            "addresses": [str(step.key) for step in each.steps],
            "like": None if each.like is None else str(folds[each.like].template.key),
        }
        for each in folds
    ]


def _not_ready(step: Step) -> Json:
    return {**_address(step.key), "why": step.why or step.reason.value, "notes": list(step.notes)}


def _deferred(each: Deferral) -> Json:
    return {**_address(each.key), "why": each.why}


def _manifest(change: ManifestChange) -> Json:
    kind, _, name = change.object.partition(" ")
    return {"kind": kind, "name": name, "change": _change(change.action, masked_fields(change))}


def _change(action: Action, fields: tuple[Field, ...]) -> Json:
    """Return `before` and `after` of the fields that differ; unknown leaves are in `after_unknown` only."""
    before = [(field.path, field.before) for field in fields if field.before is not ABSENT]
    after = [(field.path, field.after) for field in fields if field.after is not ABSENT]
    return {
        "actions": list(_ACTIONS[action]),
        "before": None if action is Action.CREATE else _nested(before, _known),
        "after": None if action in {Action.DELETE, Action.FORGET} else _nested(after, _known),
        "after_unknown": _nested(after, _unknown),
        "after_sensitive": _nested(after, _sensitive),
        "paths": [list(field.path) for field in fields],
        "known_after": sorted({str(each.after) for _, value in after for each in unknowns_in(value)}),
        "touched": [
            {"path": list(field.path), "manager": field.touch.manager, "time": field.touch.time}
            for field in fields
            if field.touch
        ],
    }


_NOTHING: Any = object()


def _nested(values: Iterable[tuple[tuple[str, ...], Any]], pick: Any) -> Json:
    """Return one object with every value at its path; a deeper path replaces a shallower one."""
    root: Json = {}
    for path, value in sorted(values, key=lambda each: len(each[0])):
        picked = pick(value)
        if picked is _NOTHING or not path:
            continue
        inner = root
        for part in path[:-1]:
            if not isinstance(inner.get(part), dict):
                inner[part] = {}
            inner = inner[part]
        inner[path[-1]] = picked
    return root


def _known(value: Any) -> Any:
    """Return a value as JSON data without unknown values (null in lists, to keep the indexes)."""
    match value:
        case Unknown():
            return _NOTHING
        case Sensitive():
            return MASKED
        case Mapping():
            items = ((str(key), _known(item)) for key, item in value.items())
            return {key: item for key, item in items if item is not _NOTHING}
        case list() | tuple():
            return [None if item is _NOTHING else item for item in map(_known, value)]
        case None | bool() | int() | float() | str():
            return value
    return str(value)


def _marked(value: Any, wanted: Any) -> Any:
    """Return `true` at the leaves that match, in the structure of the value, and nothing elsewhere."""
    if wanted(value):
        return True
    match value:
        case Mapping():
            items = {str(key): _marked(item, wanted) for key, item in value.items()}
            return {key: item for key, item in items.items() if item is not _NOTHING} or _NOTHING
        case list() | tuple():
            places = [_marked(item, wanted) for item in value]
            if all(place is _NOTHING for place in places):
                return _NOTHING
            return [False if place is _NOTHING else place for place in places]
    return _NOTHING


def _unknown(value: Any) -> Any:
    return _marked(value, lambda leaf: isinstance(leaf, Unknown))


def _sensitive(value: Any) -> Any:
    return _marked(value, lambda leaf: isinstance(leaf, Sensitive))
