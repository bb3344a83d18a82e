"""API servers and helm in memory: server-side apply, releases, and failures at a chosen write."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from mesh.world import HelmJob, Object
from mesh.world.kube.errors import AlreadyExists, Call, Invalid, Missing, Unreachable
from mesh.world.resources import CONFIG_MAP, CRD, DEPLOYMENT, GATEWAY, NAMESPACE, SECRET, TABLE, ResourceType

Path = tuple[str, ...]

REFUSED, LOST, KILLED, KILLED_AFTER = "refused", "lost", "killed", "killed after"
"""What befalls a write: it is not carried out, or its answer is lost; the program dies before or after it."""

FAILS = "fails"
"""A value of a chart, or an annotation of a Gateway, with which it never becomes ready."""

GROUP = "gateway.networking.k8s.io"


class Killed(BaseException):
    """The program ended at this moment."""


@dataclass
class Memory:
    """An API server: server-side apply with one set of fields for each manager; no defaults, no controllers.

    `troubles` says what befalls the n-th write from now on, counted from 0; ConfigMaps, in which mesh keeps
    its state, do not count. `types` are served beside those that mesh knows.
    """

    cluster: str
    context: str = ""
    server: str = "https://memory:6443"
    objects: dict[tuple[str, str, str], Object] = field(default_factory=dict)
    types: tuple[ResourceType, ...] = ()
    troubles: dict[int, str] = field(default_factory=dict)
    owned: dict[tuple[str, str, str], dict[str, set[Path]]] = field(default_factory=dict)
    _uids: Iterator[int] = field(default_factory=count)

    def __post_init__(self) -> None:
        self.put(NAMESPACE, {"metadata": {"name": "kube-system"}})

    def within(self, _seconds: float) -> Memory:
        return self

    def put(self, resource: ResourceType, obj: Object) -> Object:
        """Keep an object as somebody else made it."""
        kept = deepcopy(obj)
        kept.setdefault("apiVersion", resource.api_version)
        kept.setdefault("kind", resource.kind)
        meta = kept["metadata"]
        meta["uid"] = f"{self.cluster}-{next(self._uids)}"
        meta.setdefault("generation", 1)
        self.objects[resource.plural, meta.get("namespace", ""), meta["name"]] = kept
        return kept

    def list(
        self, resource: ResourceType, *, namespace: str = "", labels: str = "", fields: str = "", **_: Any
    ) -> list[Object]:
        found = [
            deepcopy(obj)
            for (plural, where, _name), obj in sorted(self.objects.items())
            if plural == resource.plural and namespace in {"", where}
        ]
        return [obj for obj in found if _selected(obj, labels) and _named(obj, fields)]

    def get(self, resource: ResourceType, namespace: str, name: str) -> Object | None:
        return deepcopy(self.objects.get((resource.plural, namespace, name)))

    def get_path(self, path: str) -> Object:
        if path == "/version":
            return {"gitVersion": "v1.33.0"}
        if path == f"/apis/{GROUP}/v1":
            names = [obj["metadata"]["name"].partition(".") for obj in self.list(CRD)]
            return {"resources": [{"name": plural} for plural, _, group in names if group == GROUP]}
        raise Missing(Call(self.cluster, self.cluster, "get", path), f"{path} is not served")

    def resource_of(self, obj: Object) -> ResourceType:
        return {**TABLE, **{(each.api_version, each.kind): each for each in self.types}}[
            obj["apiVersion"], obj["kind"]
        ]

    def apply(self, obj: Object, *, manager: str, force: bool = False, dry_run: bool = False) -> Object:
        del force
        resource = self.resource_of(obj)
        if dry_run or resource == CONFIG_MAP:
            return obj if dry_run else self._applied(resource, obj, manager)
        with Write(self):
            return self._applied(resource, obj, manager)

    def _applied(self, resource: ResourceType, obj: Object, manager: str) -> Object:
        meta = obj["metadata"]
        where = resource.plural, meta.get("namespace", ""), meta["name"]
        live = self.objects.get(where) or self.put(resource, {"metadata": dict(meta)})
        fields = {path: value for path, value in leaves(obj) if path[:2] not in NAMES}
        owners = self.owned.setdefault(where, {})
        others = {path for name, paths in owners.items() if name != manager for path in paths}
        for path in owners.get(manager, set()) - fields.keys() - others:
            _remove(live, path)
        for path, value in fields.items():
            _set(live, path, deepcopy(value))
        owners[manager] = set(fields)
        live["metadata"]["generation"] += 1
        if resource == GATEWAY:
            live["status"] = _programmed(live)
        live["metadata"]["managedFields"] = [_entry(name, paths) for name, paths in owners.items()]
        return deepcopy(live)

    def create(self, obj: Object, *, manager: str, dry_run: bool = False) -> Object:
        resource = self.resource_of(obj)
        if self.get(resource, obj["metadata"].get("namespace", ""), obj["metadata"]["name"]):
            raise AlreadyExists(Call(self.cluster, self.cluster, "create", resource.plural), "exists")
        return self.apply(obj, manager=manager, dry_run=dry_run)

    def replace(self, obj: Object, *, manager: str) -> Object:
        del manager
        resource, meta = self.resource_of(obj), obj["metadata"]
        with Write(self):
            self.objects[resource.plural, meta.get("namespace", ""), meta["name"]] = deepcopy(obj)
        return obj

    def delete(self, resource: ResourceType, namespace: str, name: str, *, uid: str = "") -> bool:
        there = self.objects.get((resource.plural, namespace, name))
        if there is None or uid not in {"", there["metadata"]["uid"]}:
            return False
        if resource == CONFIG_MAP:
            return self.objects.pop((resource.plural, namespace, name), None) is not None
        with Write(self):
            self.owned.pop((resource.plural, namespace, name), None)
            return self.objects.pop((resource.plural, namespace, name), None) is not None


class Write:
    """One write to a server: what is said to befall it happens before or after the block."""

    def __init__(self, server: Memory) -> None:
        self.server = server
        self.fate = server.troubles.get(0, "")
        server.troubles = {turn - 1: fate for turn, fate in server.troubles.items() if turn}

    def __enter__(self) -> None:
        if self.fate == REFUSED:
            raise Invalid(self._call(), "refused")
        if self.fate == KILLED:
            raise Killed

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None and self.fate == LOST:
            raise Unreachable(self._call(), "connection reset", sent=True)
        if kind is None and self.fate == KILLED_AFTER:
            raise Killed

    def _call(self) -> Call:
        return Call(self.server.cluster, self.server.cluster, "patch", "objects")


@dataclass
class MemoryHelm:
    """Helm: keeps releases as Secrets, each with a Deployment that is ready without the value `fails`."""

    kube: Memory

    def template(
        self, job: HelmJob, *, kube_version: str, upgrade: bool, api_versions: Iterable[str] = ()
    ) -> list[Object]:
        del kube_version, upgrade, api_versions
        return [_deployment(job)]

    def upgrade(self, job: HelmJob, *, force_conflicts: bool = False) -> None:
        del force_conflicts
        with Write(self.kube):
            mine = {"owner": "helm", "name": job.release}
            revision = 1 + len(self.kube.list(SECRET, labels=",".join(f"{k}={v}" for k, v in mine.items())))
            for (plural, _, _), obj in self.kube.objects.items():
                if plural == SECRET.plural and mine.items() <= (obj["metadata"].get("labels") or {}).items():
                    obj["metadata"]["labels"]["status"] = "superseded"
            self.kube.put(SECRET, release_secret(job, revision))
            self.kube.put(DEPLOYMENT, _deployment(job))

    def uninstall(self, release: str, namespace: str) -> None:
        with Write(self.kube):
            gone = [
                where
                for where, obj in self.kube.objects.items()
                if where[1] == namespace
                and release in {where[2], (obj["metadata"].get("labels") or {}).get("name")}
                and where[0] in {SECRET.plural, DEPLOYMENT.plural}
            ]
            for where in gone:
                del self.kube.objects[where]

    def pinned(self, job: HelmJob) -> tuple[HelmJob, str]:
        return job, f"sha256:{job.ref}"

    def version(self) -> str:
        return "4.2.4"

    def at_work(self, _release: str, _namespace: str) -> str:
        return ""


def release_secret(job: HelmJob, revision: int) -> Object:
    """Return the Secret in which helm keeps a revision."""
    payload = {
        "name": job.release,
        "namespace": job.namespace,
        "version": revision,
        "info": {"status": "deployed"},
        "chart": {
            "metadata": {"name": job.ref.rpartition("/")[2], "version": job.version},
            "templates": [],
            "files": [],
        },
        "config": dict(job.values),
        "manifest": json.dumps(_deployment(job)),
    }
    packed = base64.b64encode(gzip.compress(json.dumps(payload).encode())).decode()
    labels = {"owner": "helm", "name": job.release, "version": str(revision), "status": "deployed"}
    return {
        "type": "helm.sh/release.v1",
        "metadata": {
            "name": f"sh.helm.release.v1.{job.release}.v{revision}",
            "namespace": job.namespace,
            "labels": {**labels, **job.labels},
        },
        "data": {"release": base64.b64encode(packed.encode()).decode()},
    }


def _deployment(job: HelmJob) -> Object:
    marks = {
        "meta.helm.sh/release-name": job.release,
        "meta.helm.sh/release-namespace": job.namespace,
    }
    status = {} if job.values.get(FAILS) else {"updatedReplicas": 1, "availableReplicas": 1, "replicas": 1}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": job.release, "namespace": job.namespace, "annotations": marks},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"app": job.release}},
            "template": {"spec": {"containers": [{"name": "one", "image": "one:1"}]}},
        },
        "status": {**status, "observedGeneration": 1},
    }


def _programmed(gateway: Object) -> Object:
    fails = FAILS in gateway["metadata"].get("annotations", {})
    types = ("Accepted", "Programmed", "gloo.solo.io/PeerConnected", "gloo.solo.io/PeeringSucceeded")
    return {
        "addresses": [{"type": "IPAddress", "value": "192.0.2.1"}],
        "conditions": [
            {
                "type": each,
                "status": "False" if fails and each != "Accepted" else "True",
                "observedGeneration": gateway["metadata"]["generation"],
            }
            for each in types
        ],
    }


NAMES = {("metadata", "name"), ("metadata", "namespace"), ("metadata", "uid"), ("apiVersion",), ("kind",)}


def leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield the leaves of an object; a list is one leaf."""
    if not isinstance(value, Mapping) or not value:
        yield path, value
        return
    for key, item in value.items():
        yield from leaves(item, (*path, key))


def _set(obj: Object, path: Path, value: Any) -> None:
    for part in path[:-1]:
        obj = obj.setdefault(part, {})
    obj[path[-1]] = value


def _remove(obj: Object, path: Path) -> None:
    for part in path[:-1]:
        obj = obj.get(part, {})
    obj.pop(path[-1], None)


def _entry(manager: str, paths: Iterable[Path]) -> Object:
    fields: Object = {}
    for path in paths:
        _set(fields, tuple(f"f:{part}" for part in path), {})
    return {"manager": manager, "operation": "Apply", "time": "2026-05-01T00:00:00Z", "fieldsV1": fields}


def _selected(obj: Object, selector: str) -> bool:
    labels = obj["metadata"].get("labels") or {}
    for part in selector.split(",") if selector else ():
        name, _, value = part.replace("!=", "=!").partition("=")
        if value.startswith("!"):
            if labels.get(name) == value[1:]:
                return False
        elif name not in labels or (value and labels[name] != value):
            return False
    return True


def _named(obj: Object, selector: str) -> bool:
    return not selector.startswith("metadata.name=") or obj["metadata"]["name"] == selector.partition("=")[2]
