"""What a new rendering of a chart changes in a cluster: by comparison, and by a dry run."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from mesh.errors import KubeError
from mesh.model import Action, Field, ManifestChange, Sensitive, Unknown
from mesh.model.diff import diff
from mesh.model.mask import MASK, mask, mask_secret
from mesh.model.secret_shapes import strike_assigned
from mesh.model.strike import strike
from mesh.world import HelmJob, Kube, Object
from mesh.world.kube.errors import Conflict, Forbidden, Invalid, WebhookDenied

HELM = "helm"
ISTIOD = "pilot-discovery"
"""istiod writes `failurePolicy` and `caBundle` of its webhooks; its charts leave them to it."""

HANDS = ("kubectl",)


def placeheld(values: Any) -> Any:
    """Replace every value that is not known yet by a text, so that the chart can be rendered."""
    if isinstance(values, Mapping):
        return {key: placeheld(value) for key, value in values.items()}
    if isinstance(values, list):
        return [placeheld(value) for value in values]
    return str(values) if isinstance(values, Unknown) else values


def name_of(obj: Object) -> str:
    """Return `Kind namespace/name`."""
    meta = obj["metadata"]
    return (
        f"{obj['kind']} {meta['namespace']}/{meta['name']}"
        if meta.get("namespace")
        else f"{obj['kind']} {meta['name']}"
    )


def changes(old: list[Object], new: list[Object], secrets: Collection[str]) -> tuple[ManifestChange, ...]:
    """Compare two renderings object by object; `secrets`, and what is one by name or shape, are masked."""
    before = {name_of(obj): obj for obj in old}
    after = {name_of(obj): obj for obj in new}
    found = []
    for name in sorted(before.keys() | after.keys()):
        if name not in before:
            found.append(ManifestChange(name, Action.CREATE))
        elif name not in after:
            found.append(_removal(name, before[name]))
        else:
            fields = diff(shown(before[name]), shown(after[name]))
            if fields:
                safe = tuple(struck(field, secrets) for field in fields)
                found.append(ManifestChange(name, Action.UPDATE, _cut(safe)))
    return tuple(found)


def sent(new: list[Object], secrets: Collection[str]) -> dict[str, Any]:
    """Return the objects of a rendering by name; `secrets` and the data of every Secret are masked."""
    found: dict[str, Any] = {}
    for obj in new:
        # Two API groups may have a kind of the same name: what stands under one name is a list.
        found.setdefault(name_of(obj), []).append(_masked(obj, secrets))
    return found


def _masked(obj: Any, secrets: Collection[str]) -> Any:
    if isinstance(obj, Mapping):
        hidden = ("data", "stringData") if obj.get("kind") == "Secret" else ()
        return {
            key: Sensitive(value) if key in hidden else _masked(value, secrets) for key, value in obj.items()
        }
    if isinstance(obj, list):
        return [_masked(value, secrets) for value in obj]
    return Sensitive(obj) if isinstance(obj, str) and any(secret in obj for secret in secrets) else obj


def _removal(name: str, obj: Object) -> ManifestChange:
    kept = (obj["metadata"].get("annotations") or {}).get("helm.sh/resource-policy") == "keep"
    return ManifestChange(name, Action.FORGET if kept else Action.DELETE)


def shown(obj: Object) -> Any:
    """Return an object without what other programs write into it, and with its secrets wrapped."""
    if str(obj.get("kind")).endswith("WebhookConfiguration"):
        obj = {**obj, "webhooks": [_without_istiods(each) for each in obj.get("webhooks") or []]}
    return mask(mask_secret(obj) if obj.get("kind") == "Secret" else obj, lines=False)


def struck(field: Field, secrets: Collection[str]) -> Field:
    """Return the field without secrets; a text of several lines keeps the lines that can be shown."""
    sides = field.before, field.after
    clean = [
        strike_assigned(strike(side, secrets), MASK) if isinstance(side, str) else side for side in sides
    ]
    if clean[0] == clean[1]:
        clean = [Sensitive(side) for side in sides]
    elif not any(isinstance(side, str) and "\n" in side.strip() for side in sides):
        clean = [side if side == text else Sensitive(side) for side, text in zip(sides, clean, strict=True)]
    return replace(field, before=clean[0], after=clean[1])


def _without_istiods(webhook: Mapping[str, Any]) -> dict[str, Any]:
    """Return a webhook without the fields that istiod writes: the charts render them at install only."""
    client = {key: value for key, value in webhook.get("clientConfig", {}).items() if key != "caBundle"}
    kept = {key: value for key, value in webhook.items() if key != "failurePolicy"}
    return {**kept, "clientConfig": client}


LONGEST = 20_000
NO_DRY_RUN = "does not support dry run"
"""What the API server says of a webhook that it cannot ask without effects."""

LONGEST_ERROR = 500
"""Characters of a reason that a plan shows."""


def _cut(fields: tuple[Field, ...]) -> tuple[Field, ...]:
    """Show a text that is too long to read (a schema of a CRD, a template) by its length."""

    def short(value: Any) -> Any:
        return f"({len(value)} characters)" if isinstance(value, str) and len(value) > LONGEST else value

    return tuple(Field(each.path, short(each.before), short(each.after)) for each in fields)


def conflicts(
    kube: Kube, job: HelmJob, new: list[Object], old: list[Object], secrets: frozenset[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Dry-run the changed objects as helm: return notes on fields taken by force, and refusals.

    The notes name the objects that could not be dry-run, and those that the API server rejects, with its
    reason and without the secrets. A refusal names a field that another controller holds.
    """
    before = {name_of(obj): obj for obj in old}
    notes: list[str] = []
    refusals: list[str] = []
    unchecked: list[str] = []
    for obj in new:
        name = name_of(obj)
        if name not in before or before[name] == obj:
            continue
        try:
            held = _held(kube, job, obj)
        except Forbidden:
            unchecked.append(name)
            continue
        except (Invalid, WebhookDenied) as error:
            # No refusal: what helm 3 made is not written by server-side apply, which is stricter.
            why = strike(error.what, secrets)[:LONGEST_ERROR]
            notes.append(
                f"not checked by the API server: {name}: {why}"
                if NO_DRY_RUN in why
                else f"the API server rejects a dry run of {name}: {why}"
            )
            continue
        for manager, path in held:
            line = f"{path} of {name} is held by {manager}"
            if manager.startswith(HANDS):
                notes.append(f"takes by force: {line}")
            else:
                refusals.append(line)
    if unchecked:
        notes.append(f"not checked by the API server: this identity may not dry-run {', '.join(unchecked)}")
    return tuple(notes), tuple(refusals)


def _held(kube: Kube, job: HelmJob, obj: Object) -> list[tuple[str, str]]:
    try:
        kube.apply(as_helm(obj, job), manager=HELM, dry_run=True)
    except Conflict as conflict:
        return [(manager, path) for manager, path, _ in conflict.causes if manager != ISTIOD]
    except (Forbidden, Invalid, WebhookDenied):
        raise
    except KubeError:
        return []  # a type that this plan adds, for example
    return []


def as_helm(obj: Object, job: HelmJob) -> Object:
    """Return the object as helm sends it: with its namespace and the marks of its release."""
    meta = dict(obj["metadata"])
    meta["labels"] = {**(meta.get("labels") or {}), "app.kubernetes.io/managed-by": "Helm"}
    meta["annotations"] = {
        **(meta.get("annotations") or {}),
        "meta.helm.sh/release-name": job.release,
        "meta.helm.sh/release-namespace": job.namespace,
    }
    return {**obj, "metadata": meta}
