"""One API server in memory: objects, field managers, preconditions, finalizers.

Objects are never changed in place, so that a copy of the store is a shallow one. `tests.sim.compare` holds it
to a real server.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.sim.fields import (
    NONE,
    Fields,
    dotted,
    fields_of,
    is_there,
    merged,
    nested,
    owned,
    value_at,
    without,
)

Object = dict[str, Any]
Name = tuple[str, str, str]
"""Resource (`plural.group`), namespace, name."""

Manager = tuple[str, str, str]
"""Name, operation, API version."""

CORE = {
    "namespaces": ("Namespace", False),
    "nodes": ("Node", False),
    "pods": ("Pod", True),
    "secrets": ("Secret", True),
    "configmaps": ("ConfigMap", True),
    "services": ("Service", True),
    "serviceaccounts": ("ServiceAccount", True),
}
GROUPS = {
    "apps/v1": {"deployments": ("Deployment", True), "daemonsets": ("DaemonSet", True)},
    "coordination.k8s.io/v1": {"leases": ("Lease", True)},
    "apiextensions.k8s.io/v1": {"customresourcedefinitions": ("CustomResourceDefinition", False)},
}
LEASES = "leases.coordination.k8s.io"
"""A PUT may create one, and needs the version of one that exists."""

COUNTED = frozenset({"deployments.apps", "daemonsets.apps", "gateways.gateway.networking.k8s.io"})
"""Resources with a generation."""


class Refused(Exception):  # noqa: N818  # an answer
    """An answer that is not a success."""

    def __init__(self, status: int, reason: str, message: str, causes: tuple[Object, ...] = ()) -> None:
        super().__init__(message)
        self.status = status
        self.body = {
            "kind": "Status",
            "apiVersion": "v1",
            "status": "Failure",
            "message": message,
            "reason": reason,
            "code": status,
            "details": {"causes": list(causes)},
        }


@dataclass(frozen=True)
class Resource:
    """One served resource."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool

    @property
    def full(self) -> str:
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def api(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version


@dataclass
class Store:
    """The objects of a cluster, and who owns which field of them."""

    objects: dict[Name, Object] = field(default_factory=dict)
    managers: dict[Name, dict[Manager, Fields]] = field(default_factory=dict)
    served: frozenset[str] = frozenset()

    def copy(self) -> Store:
        return Store(
            dict(self.objects), {name: dict(each) for name, each in self.managers.items()}, self.served
        )


@dataclass
class Api:
    """The API server of one cluster. `clock` gives its time; `changed` is called after each change."""

    cluster: str
    clock: Callable[[], datetime]
    store: Store = field(default_factory=Store)
    version: int = 0
    made: dict[Name, int] = field(default_factory=dict)
    dirty: bool = True

    # --- requests ------------------------------------------------------------------------------------------

    def handle(self, method: str, url: str, body: bytes | None, media: str = "") -> tuple[int, Object]:
        """Answer one request."""
        parts = urlsplit(url)
        query = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        try:
            return self._route(method, unquote(parts.path), query, json.loads(body) if body else {}, media)
        except Refused as refused:
            return refused.status, refused.body

    def _route(
        self, method: str, path: str, query: Mapping[str, str], sent: Object, media: str
    ) -> tuple[int, Object]:
        if method == "GET" and (told := self._about(path)) is not None:
            return 200, told
        resource, namespace, name = self._find(path)
        if method == "GET":
            return 200, self.get(resource, namespace, name) if name else self.list(
                resource, namespace, query, media
            )
        dry, manager = bool(query.get("dryRun")), query.get("fieldManager", "unknown")
        if method == "POST":
            return 201, self.create(resource, namespace, sent, manager, dry=dry)
        if method == "PUT":
            return self.replace(resource, namespace, name, sent, manager, dry=dry)
        if method == "DELETE":
            return 200, self.delete(resource, namespace, name, sent.get("preconditions") or {})
        if "apply-patch" in media:
            force = query.get("force") == "true"
            return self.apply(resource, namespace, name, sent, manager, force=force, dry=dry)
        return 200, self.merge(resource, namespace, name, sent, manager, dry=dry)

    def _about(self, path: str) -> Object | None:
        if path == "/version":
            return {"major": "1", "minor": "33", "gitVersion": "v1.33.1"}
        if path == "/apis":
            groups = [api.partition("/") for api in self._groups()]
            return {
                "groups": [
                    {
                        "name": group,
                        "preferredVersion": {"groupVersion": f"{group}/{version}", "version": version},
                    }
                    for group, _, version in groups
                ]
            }
        listed = self._groups().get(path.removeprefix("/apis/")) if path.startswith("/apis/") else None
        listed = CORE if path == "/api/v1" else listed
        if listed is None:
            if path.startswith("/apis/") and path.count("/") == 3:
                raise Refused(404, "NotFound", "the server could not find the requested resource")
            return None
        return {"resources": [_listed(name, kind, scoped) for name, (kind, scoped) in sorted(listed.items())]}

    def _groups(self) -> dict[str, dict[str, tuple[str, bool]]]:
        groups = {name: dict(each) for name, each in GROUPS.items()}
        for name in sorted(self.store.served):
            crd = self.store.objects.get(("customresourcedefinitions.apiextensions.k8s.io", "", name))
            if crd is not None:
                spec = crd["spec"]
                for each in spec["versions"]:
                    plurals = groups.setdefault(f"{spec['group']}/{each['name']}", {})
                    plurals[spec["names"]["plural"]] = (spec["names"]["kind"], spec["scope"] == "Namespaced")
        return groups

    def _find(self, path: str) -> tuple[Resource, str, str]:
        parts = path.strip("/").split("/")
        group, version = ("", parts[1]) if parts[0] == "api" else (parts[1], parts[2])
        rest = parts[2:] if parts[0] == "api" else parts[3:]
        namespace = ""
        if rest[0] == "namespaces" and len(rest) > 2:
            namespace, rest = rest[1], rest[2:]
        plurals = CORE if not group else self._groups().get(f"{group}/{version}", {})
        if rest[0] not in plurals:
            raise Refused(404, "NotFound", "the server could not find the requested resource")
        kind, scoped = plurals[rest[0]]
        return Resource(group, version, rest[0], kind, scoped), namespace, rest[1] if len(rest) > 1 else ""

    # --- reads ---------------------------------------------------------------------------------------------

    def get(self, resource: Resource, namespace: str, name: str) -> Object:
        """Return one object, with its managed fields."""
        key = (resource.full, namespace, name)
        if key not in self.store.objects:
            raise _missing(resource, name)
        return self.shown(key)

    def list(self, resource: Resource, namespace: str, query: Mapping[str, str], media: str) -> Object:
        """Return a collection as one page."""
        found = [
            key
            for key in sorted(self.store.objects)
            if key[0] == resource.full
            and namespace in ("", key[1])
            and _selected(self.store.objects[key], query.get("labelSelector", ""))
            and _fielded(self.store.objects[key], query.get("fieldSelector", ""))
        ]
        items = [self.shown(key) for key in found]
        if "PartialObjectMetadataList" in media:
            items = [{"metadata": each["metadata"]} for each in items]
        return {"metadata": {"resourceVersion": str(self.version)}, "items": items}

    def shown(self, key: Name) -> Object:
        """Return an object as a client sees it."""
        obj = self.store.objects[key]
        entries = [
            {
                "manager": manager,
                "operation": operation,
                "apiVersion": api,
                "fieldsType": "FieldsV1",
                "time": obj["metadata"]["creationTimestamp"],
                "fieldsV1": nested(fields),
            }
            for (manager, operation, api), fields in sorted(self.store.managers.get(key, {}).items())
        ]
        return {**obj, "metadata": {**obj["metadata"], **({"managedFields": entries} if entries else {})}}

    # --- writes --------------------------------------------------------------------------------------------

    def create(self, resource: Resource, namespace: str, sent: Object, manager: str, *, dry: bool) -> Object:
        """POST."""
        name = sent["metadata"].get("name", "")
        key = (resource.full, namespace, name)
        self._may_hold(resource, namespace, name)
        if key in self.store.objects:
            raise Refused(409, "AlreadyExists", f'{resource.full} "{name}" already exists')
        fields = fields_of(_full(self._defaulted(resource, sent)), applied=False)
        managers = {(manager, "Update", resource.api): fields} if fields else {}
        return self._put(resource, key, sent, managers, dry=dry)

    def replace(
        self, resource: Resource, namespace: str, name: str, sent: Object, manager: str, *, dry: bool
    ) -> tuple[int, Object]:
        """PUT, with the resourceVersion and uid that it may carry."""
        key, meta = (resource.full, namespace, name), sent["metadata"]
        if resource.full == LEASES and key not in self.store.objects:
            if meta.get("uid"):
                raise Refused(
                    409, "Conflict", f'{resource.full} "{name}": Precondition failed: UID in precondition'
                )
            return 201, self.create(resource, namespace, sent, manager, dry=dry)
        live = self._live(resource, key)
        self._same(resource, live, meta.get("uid", ""), meta.get("resourceVersion", ""))
        if resource.full == LEASES and not meta.get("resourceVersion"):
            raise Refused(422, "Invalid", "metadata.resourceVersion: must be specified for an update")
        return 200, self._updated(resource, key, live, sent, manager, dry=dry)

    def merge(
        self, resource: Resource, namespace: str, name: str, sent: Object, manager: str, *, dry: bool
    ) -> Object:
        """PATCH with a JSON merge patch."""
        key = (resource.full, namespace, name)
        live = self._live(resource, key)
        meta = sent.get("metadata", {})
        self._same(resource, live, "", meta.get("resourceVersion", ""))
        _same_uid(live, meta.get("uid", ""))
        return self._updated(resource, key, live, _json_merged(live, sent), manager, dry=dry)

    def apply(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        sent: Object,
        manager: str,
        *,
        force: bool,
        dry: bool,
    ) -> tuple[int, Object]:
        """PATCH by server-side apply."""
        key = (resource.full, namespace, name)
        who = (manager, "Apply", resource.api)
        fields = fields_of(sent, applied=True)
        live = self.store.objects.get(key)
        wanted = sent["metadata"].get("uid", "")
        if live is None:
            if wanted:
                raise Refused(409, "Conflict", f'{resource.full} "{name}": uid mismatch: it does not exist')
            self._may_hold(resource, namespace, name)
            return 201, self._put(resource, key, sent, {who: fields} if fields else {}, dry=dry)
        self._same(resource, live, "", sent["metadata"].get("resourceVersion", ""))
        before = fields_of(_full(live), applied=False)
        first = {("before-first-apply", "Update", resource.api): before} if before and fields else {}
        managers = dict(self.store.managers.get(key) or first)
        body = merged(owned(live), owned(sent))
        changed = frozenset(
            path for path in fields if path[-1] != "." and value_at(live, path) != value_at(body, path)
        )
        managers = _taken(changed | _new_around(changed, live), who, managers, force=force)
        _same_uid(live, wanted)
        gone = managers.get(who, NONE) - fields
        held = frozenset().union(*(each for other, each in managers.items() if other != who))
        managers[who] = fields
        # What is around a field that stays, stays; a mapping that was applied empty is one.
        around = {path[:length] for path in fields | held for length in range(1, len(path) + 1)}
        for path in sorted(gone - around, key=len, reverse=True):
            body = without(body, path)
        if not fields:
            del managers[who]
        whole = {**live, **body, "metadata": {**_fixed(live), **body.get("metadata", {})}}
        for name_of in set(owned(live)) - set(body):
            whole.pop(name_of, None) if name_of != "metadata" else None
        return 200, self._put(resource, key, whole, managers, dry=dry, live=live)

    def delete(self, resource: Resource, namespace: str, name: str, conditions: Mapping[str, str]) -> Object:
        """DELETE, with preconditions; what has finalizers stays until they are gone."""
        key = (resource.full, namespace, name)
        live = self._live(resource, key)
        self._precondition(resource, live, conditions)
        meta = live["metadata"]
        if resource.plural == "namespaces":
            self._terminate(key, live)
        elif meta.get("finalizers"):
            if "deletionTimestamp" not in meta:
                self._write(key, {**live, "metadata": {**meta, "deletionTimestamp": self._now()}})
            return self.shown(key)
        else:
            self.forget(key)
        return {"kind": "Status", "apiVersion": "v1", "status": "Success"}

    def _terminate(self, key: Name, live: Object) -> None:
        if live.get("status", {}).get("phase") != "Terminating":
            meta = {**live["metadata"], "deletionTimestamp": self._now()}
            self._write(key, {**live, "metadata": meta, "status": {"phase": "Terminating"}})

    # --- inside --------------------------------------------------------------------------------------------

    def forget(self, key: Name) -> None:
        """Take an object out of the store."""
        self.store.objects.pop(key, None)
        self.store.managers.pop(key, None)
        self.dirty = True

    def put(self, key: Name, obj: Object) -> None:
        """Write an object as the cluster's own controllers do: no manager owns what they write."""
        if self.store.objects.get(key) == obj:
            return
        if key in self.store.objects:
            self._write(key, obj)
        else:
            kind = obj["kind"]
            group, _, version = obj["apiVersion"].rpartition("/")
            self._put(
                Resource(group, version, key[0].partition(".")[0], kind, bool(key[1])),
                key,
                obj,
                {},
                dry=False,
            )

    def _put(
        self,
        resource: Resource,
        key: Name,
        sent: Object,
        managers: dict[Manager, Fields],
        *,
        dry: bool,
        live: Object | None = None,
    ) -> Object:
        """Write an object that is new, or in the place of `live`; what is the same is not written."""
        body = self._body(resource, key, sent, live)
        if live is not None and body == live and managers == self.store.managers.get(key):
            return self.shown(key)
        before = self.store.objects.get(key), self.store.managers.get(key, {}), self.version, self.dirty
        self.store.managers[key] = managers
        self._write(key, body)
        answer = self.shown(key)
        if dry:
            self._undone(key, *before)
        elif live is None:
            self.made[key] = self.made.get(key, 0) + 1
        elif _emptied(body):
            self.forget(key)
        return answer

    def _body(self, resource: Resource, key: Name, sent: Object, live: Object | None) -> Object:
        """Return the object as it is stored: what the server decides is not the client's."""
        body = {**self._defaulted(resource, sent), "apiVersion": resource.api, "kind": resource.kind}
        meta = {name: value for name, value in body["metadata"].items() if name != "managedFields"}
        body = {name: value for name, value in body.items() if name != "status"}
        is_counted = resource.full in COUNTED
        if live is None:
            meta |= {"uid": self._uid(key), "creationTimestamp": self._now()}
            meta |= {"generation": 1} if is_counted else {}
            body |= {"status": {"phase": "Active"}} if resource.plural == "namespaces" else {}
        else:
            meta |= _fixed(live)
            body |= {"status": live["status"]} if "status" in live else {}
            if is_counted and body.get("spec") != live.get("spec"):
                meta["generation"] = live["metadata"]["generation"] + 1
        kept = {"spec": body.get("spec", {})} if resource.full == LEASES else {}
        return {**_full({**body, "metadata": meta}), **kept}

    def _undone(
        self, key: Name, obj: Object | None, managers: dict[Manager, Fields], version: int, dirty: bool
    ) -> None:
        """Take a dry run back."""
        self.version, self.dirty = version, dirty
        self.store.objects.pop(key)
        self.store.managers.pop(key)
        if obj is not None:
            self.store.objects[key], self.store.managers[key] = obj, managers

    def _write(self, key: Name, obj: Object) -> None:
        self.version += 1
        meta = {**obj["metadata"], "resourceVersion": str(self.version)}
        self.store.objects[key] = {**obj, "metadata": meta}
        self.dirty = True

    def _updated(
        self, resource: Resource, key: Name, live: Object, sent: Object, manager: str, *, dry: bool
    ) -> Object:
        who = (manager, "Update", resource.api)
        new = _full(self._defaulted(resource, sent))
        now, before = fields_of(new, applied=False), fields_of(live, applied=False)
        changed = frozenset(
            path
            for path in now
            if path not in before or (path[-1] != "." and value_at(live, path) != value_at(new, path))
        )
        taken = changed | _new_around(changed, live)
        managers: dict[Manager, Fields] = {}
        if not self.store.managers.get(key):
            return self._put(resource, key, new, managers, dry=dry, live=live)  # no manager is tracked in it
        for other, theirs in self.store.managers.get(key, {}).items():
            kept = frozenset(path for path in theirs if is_there(new, path) or not is_there(live, path))
            managers[other] = kept if other == who else kept - _lost(kept, taken)
        managers[who] = managers.get(who, NONE) | changed
        managers = {other: theirs for other, theirs in managers.items() if theirs}
        return self._put(resource, key, new, managers, dry=dry, live=live)

    def _defaulted(self, resource: Resource, sent: Object) -> Object:
        meta = {name: value for name, value in sent["metadata"].items() if name != "managedFields"}
        body = {**sent, "metadata": meta}
        if resource.plural == "secrets" and "stringData" in body:
            plain = body.pop("stringData")
            body["data"] = {**body.get("data", {}), **{k: _base64(v) for k, v in plain.items()}}
        if resource.plural == "secrets":
            body.setdefault("type", "Opaque")
        if resource.plural == "namespaces":
            labels = {**meta.get("labels", {}), "kubernetes.io/metadata.name": meta["name"]}
            body["metadata"] = {**meta, "labels": labels}
            body.setdefault("spec", {"finalizers": ["kubernetes"]})
        return body

    def _may_hold(self, resource: Resource, namespace: str, name: str) -> None:
        if not resource.namespaced:
            return
        there = self.store.objects.get(("namespaces", "", namespace))
        if there is None:
            raise Refused(404, "NotFound", f'namespaces "{namespace}" not found')
        if there.get("status", {}).get("phase") == "Terminating":
            cause = {"reason": "NamespaceTerminating", "message": "", "field": "metadata.namespace"}
            why = f"unable to create new content in namespace {namespace} because it is being terminated"
            raise Refused(403, "Forbidden", f'{resource.full} "{name}" is forbidden: {why}', (cause,))

    def _live(self, resource: Resource, key: Name) -> Object:
        if key not in self.store.objects:
            raise _missing(resource, key[2])
        return self.store.objects[key]

    def _same(self, resource: Resource, live: Object, uid: str, version: str) -> None:
        meta = live["metadata"]
        if uid and uid != meta["uid"]:
            why = f"Precondition failed: UID in precondition: {uid}, UID in object meta: {meta['uid']}"
            raise Refused(
                409, "Conflict", f'Operation cannot be fulfilled on {resource.full} "{meta["name"]}": {why}'
            )
        if version and version != meta["resourceVersion"]:
            raise Refused(
                409,
                "Conflict",
                f'Operation cannot be fulfilled on {resource.full} "{meta["name"]}": the object has been '
                "modified; please apply your changes to the latest version and try again",
            )

    def _precondition(self, resource: Resource, live: Object, conditions: Mapping[str, str]) -> None:
        self._same(resource, live, conditions.get("uid", ""), conditions.get("resourceVersion", ""))

    def _uid(self, key: Name) -> str:
        text = f"{self.cluster}/{'/'.join(key)}/{self.version}/{self.made.get(key, 0)}"
        digest = hashlib.sha256(text.encode()).hexdigest()
        return f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:32]}"

    def _now(self) -> str:
        return self.clock().strftime("%Y-%m-%dT%H:%M:%SZ")


def _same_uid(live: Object, wanted: str) -> None:
    """Refuse a patch that would change the uid."""
    if wanted not in ("", live["metadata"]["uid"]):
        cause = {"reason": "FieldValueInvalid", "message": "field is immutable", "field": "metadata.uid"}
        raise Refused(422, "Invalid", f"metadata.uid: {wanted}: field is immutable", (cause,))


def _full(obj: Object) -> Object:
    """Return an object without empty mappings and lists: what is read into a type loses them."""
    meta = {name: value for name, value in obj["metadata"].items() if value not in ({}, [], None)}
    return {**{name: value for name, value in obj.items() if value not in ({}, [], None)}, "metadata": meta}


def _emptied(obj: Object) -> bool:
    meta = obj["metadata"]
    return "deletionTimestamp" in meta and not meta.get("finalizers") and obj["kind"] != "Namespace"


def _taken(
    changed: Fields, who: Manager, managers: dict[Manager, Fields], *, force: bool
) -> dict[Manager, Fields]:
    """Return the managers without what an apply takes from them; refuse if it may not."""
    causes = []
    for other, theirs in sorted(managers.items()):
        if other == who or not (lost := _lost(theirs, changed)):
            continue
        managers = {**managers, other: theirs - lost}
        causes += [_cause(other, path) for path in sorted(lost)]
    if causes and not force:
        many = f"Apply failed with {len(causes)} conflict" + ("s" if len(causes) > 1 else "")
        raise Refused(409, "Conflict", f"{many}: {causes[0]['message']}", tuple(causes))
    return {other: theirs for other, theirs in managers.items() if theirs or other == who}


def _lost(theirs: Fields, taken: Fields) -> Fields:
    """Return which fields of a manager another one takes: the same, and what is inside of these."""
    return frozenset(
        path
        for path in theirs
        if path[-1] != "." and any(path[:length] in taken for length in range(1, len(path) + 1))
    )


def _new_around(changed: Fields, live: Object) -> Fields:
    """Return the mappings around changed fields that the object does not have: they are new, too."""
    around = {path[:length] for path in changed for length in range(1, len(path))}
    return frozenset(path for path in around if not is_there(live, path))


def _cause(other: Manager, path: tuple[str, ...]) -> Object:
    manager, operation, api = other
    using = f" using {api}" if operation == "Update" else ""
    text = f'conflict with "{manager}"{using}: {dotted(path)}'
    return {"reason": "FieldManagerConflict", "message": text, "field": dotted(path)}


def _fixed(live: Object) -> Object:
    names = (
        "name",
        "namespace",
        "uid",
        "creationTimestamp",
        "deletionTimestamp",
        "generation",
        "resourceVersion",
    )
    return {name: live["metadata"][name] for name in names if name in live["metadata"]}


def _missing(resource: Resource, name: str) -> Refused:
    return Refused(404, "NotFound", f'{resource.full} "{name}" not found')


def _listed(name: str, kind: str, scoped: bool) -> Object:
    verbs = ["create", "delete", "get", "list", "patch", "update"]
    return {"name": name, "kind": kind, "namespaced": scoped, "verbs": verbs}


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _json_merged(live: Any, patch: Any) -> Any:
    if not isinstance(patch, Mapping):
        return patch
    result = dict(live) if isinstance(live, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = _json_merged(result.get(name), value)
    return result


def _selected(obj: Object, selector: str) -> bool:
    labels = obj["metadata"].get("labels") or {}
    return all(_matches(labels, term) for term in _terms(selector))


def _terms(selector: str) -> list[str]:
    """Split a selector at the commas outside of parentheses."""
    terms, depth = [""], 0
    for sign in selector:
        depth += (sign == "(") - (sign == ")")
        if sign == "," and not depth:
            terms.append("")
        else:
            terms[-1] += sign
    return [each.strip() for each in terms if each.strip()]


def _matches(labels: Mapping[str, str], term: str) -> bool:
    if " in (" in term:
        name, _, values = term.partition(" in (")
        return labels.get(name.strip()) in {each.strip() for each in values.rstrip(")").split(",")}
    if "!=" in term:
        name, _, value = term.partition("!=")
        return labels.get(name) != value
    if "=" in term:
        name, _, value = term.replace("==", "=").partition("=")
        return labels.get(name) == value
    return term in labels


def _fielded(obj: Object, selector: str) -> bool:
    for term in _terms(selector):
        path, _, value = term.replace("==", "=").partition("=")
        there: Any = obj
        for part in path.split("."):
            there = there.get(part, "") if isinstance(there, Mapping) else ""
        if there != value:
            return False
    return True
