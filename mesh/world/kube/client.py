"""One API server, used with raw JSON objects: list, get, server-side apply, delete.

Bodies and answers are plain dicts; typed models cost fifteen times as much and refuse fields newer than
themselves. A refusal raises one of the errors of `mesh.world.kube.errors`.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from threading import Lock
from urllib.parse import quote, urlencode

from mesh.world import Object
from mesh.world.kube.answers import items_of, names, parsed, typed_as
from mesh.world.kube.auth import Credentials
from mesh.world.kube.discovery import Served
from mesh.world.kube.error_bodies import refusal
from mesh.world.kube.errors import Call, Gone, Malformed, Missing, Unreachable
from mesh.world.kube.exchange import Patience, Reply
from mesh.world.kube.exec_plugin import Plugins
from mesh.world.kube.kubeconfig import Clusters, targets
from mesh.world.kube.request import Sleep, Wire
from mesh.world.resources import SECRET, TABLE, ResourceType
from mesh.world.yaml_documents import json_bytes

Objects = list[Object]

PAGE, SMALL_PAGE = 500, 4
PAGES = 500
"""Pages of one LIST, which hold more pods than a cluster can have."""

_JSON = "application/json"
_APPLY = "application/apply-patch+yaml"
_METADATA = f"{_JSON};as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,{_JSON}"
_RESTARTS = 3
_CARRY = frozenset({"apply", "create", "replace"})
_METHODS = {
    "list": "GET",
    "get": "GET",
    "apply": "PATCH",
    "create": "POST",
    "replace": "PUT",
    "delete": "DELETE",
}


class ApiServer:
    """A `Kube`: one API server, used from several threads.

    `requests` counts the requests (each page, no retries) by verb (list, get, apply, create,
    replace, delete; a dry run is `apply?dry`) and by resource (`secrets`, `deployments.apps`, or
    the path).
    """

    def __init__(self, cluster: str, context: str, wire: Wire) -> None:
        self.cluster = cluster
        self.context = context
        self.requests: Counter[tuple[str, str]] = Counter()
        self._wire = wire
        self._lock = Lock()
        self._served = Served()

    def within(self, seconds: float) -> ApiServer:
        """Return the same API server over separate connections, with one attempt of so many seconds."""
        return ApiServer(self.cluster, self.context, self._wire.within(seconds))

    @property
    def server(self) -> str:
        """The address of the API server, as in the kubeconfig."""
        return self._wire.server

    def bearing(self, token: str, ca: bytes = b"") -> ApiServer:
        """Return the same API server with a token for its only credentials."""
        return ApiServer(self.cluster, self.context, self._wire.bearing(token, ca))

    def get_path(self, path: str) -> Object:
        """GET any path (`/version`, `/apis/…`); raise `Missing` on 404."""
        return self._ask(Call(self.cluster, self.context, "get", path), path)

    def get_text(self, path: str) -> str:
        """GET any path with an answer other than JSON, such as a pod's port through the server's proxy."""
        reply = self._reply(Call(self.cluster, self.context, "get", path), path)
        return reply.body.decode("utf-8", "replace")

    def port_text(self, namespace: str, pod: str, port: int, asked: str) -> str:
        """GET a path of a pod's port, to which the request comes from the pod's own loopback."""
        call = Call(self.cluster, self.context, "get", "pods/portforward", namespace, pod)
        with self._lock:
            self.requests[call.verb, call.resource] += 1
        path = f"/api/v1/namespaces/{quote(namespace)}/pods/{quote(pod)}/portforward"
        return self._wire.get_of_port(call, path, port, asked).decode("utf-8", "replace")

    def time(self) -> datetime:
        """Return the time of the server, to the second; raise Unreachable if it sends none."""
        call = Call(self.cluster, self.context, "get", "/version")
        try:
            return parsedate_to_datetime(self._reply(call, "/version").date)
        except ValueError:
            raise Unreachable(call, "its answers have no Date header") from None

    def list(
        self,
        resource: ResourceType,
        *,
        namespace: str = "",
        labels: str = "",
        fields: str = "",
        metadata_only: bool = False,
    ) -> Objects:
        """Return every object of a collection (paged inside); [] if the resource is not served.

        Each object gets its apiVersion and kind, which the items of a list omit.
        """
        call = self._call("list", resource, namespace)
        query = {"labelSelector": labels, "fieldSelector": fields}
        accept = _METADATA if metadata_only else _JSON
        ends = self._wire.within_total()
        for restart in range(_RESTARTS + 1):
            try:
                found = self._pages(call, resource.path(namespace), query, accept, ends)
                break
            except Missing:
                return []
            except Gone:
                # 410: the snapshot of etcd behind the pages was compacted. Only a list from the start is
                # consistent; pages of two snapshots could miss an object or have it twice.
                if restart == _RESTARTS:
                    raise
        return [{**typed_as(call, item, resource), **names(resource)} for item in found]

    def _pages(self, call: Call, path: str, query: Mapping[str, str], accept: str, ends: float) -> Objects:
        found: Objects = []
        position, size = "", PAGE
        for _ in range(PAGES):
            asked = {**query, "limit": str(size), "continue": position}
            try:
                page = self._ask(call, path, query=asked, headers={"accept": accept}, ends=ends)
            except Malformed:
                # The largest objects that etcd stores fit into a page of so few; more is not a list.
                if size == SMALL_PAGE:
                    raise
                size = SMALL_PAGE
                continue
            items, after = items_of(call, page, size)
            found += items
            if not after:
                return found
            if after == position:
                raise Malformed(call, "its pages repeat themselves")
            position = after
        raise Malformed(call, f"it has more than {PAGES} pages")

    def resource_of(self, obj: Object) -> ResourceType:
        """Return the API resource of an object; raise `Missing` if it is not served."""
        api, kind = str(obj["apiVersion"]), str(obj["kind"])
        known = TABLE.get((api, kind))
        if known:
            return known
        for resource in self._served.of(api, kind, self.get_path):
            if resource.kind == kind:
                return resource
        raise Missing(Call(self.cluster, self.context, "find", f"{kind} of {api}"), "it is not served")

    def get(self, resource: ResourceType, namespace: str, name: str) -> Object | None:
        """Return one object, or None if it (or its resource) does not exist."""
        call = self._call("get", resource, namespace, name)
        try:
            return typed_as(call, self._ask(call, resource.path(namespace, name)), resource)
        except Missing:
            return None

    def apply(self, obj: Object, *, manager: str, force: bool = False, dry_run: bool = False) -> Object:
        """Server-side apply; return the resulting object. `metadata.uid`, if given, must match.

        The server reads the body as YAML, which is why it is not plain `json.dumps`.
        """
        query = {**_write(manager, dry_run=dry_run), "force": "true" if force else "false"}
        return self._send("apply", obj, query, media=_APPLY)

    def create(self, obj: Object, *, manager: str, dry_run: bool = False) -> Object:
        """POST an object; raise `AlreadyExists`, or Unreachable with `sent` if it may have worked."""
        return self._send("create", obj, _write(manager, dry_run=dry_run))

    def replace(self, obj: Object, *, manager: str) -> Object:
        """PUT an object with the resourceVersion it carries; raise `Conflict` if it has changed."""
        return self._send("replace", obj, _write(manager))

    def delete(self, resource: ResourceType, namespace: str, name: str, *, uid: str = "") -> bool:
        """Delete one object (only if it has that uid, when given); False if it did not exist."""
        options: Object = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background"}
        if uid:
            options["preconditions"] = {"uid": uid}
        call = self._call("delete", resource, namespace, name)
        try:
            self._ask(
                call,
                resource.path(namespace, name),
                body=json_bytes(options),
                headers={"content-type": _JSON},
            )
        except Missing:
            return False
        return True

    def _send(self, verb: str, obj: Object, query: Mapping[str, str], *, media: str = _JSON) -> Object:
        resource = self.resource_of(obj)
        metadata = obj.get("metadata", {})
        namespace, name = metadata.get("namespace", ""), metadata.get("name", "")
        path = resource.path(namespace, "" if verb == "create" else name)
        call = self._call(verb, resource, namespace, name)
        answer = self._ask(call, path, query=query, body=json_bytes(obj), headers={"content-type": media})
        return typed_as(call, answer, resource)

    def _call(self, verb: str, resource: ResourceType, namespace: str = "", name: str = "") -> Call:
        plural = f"{resource.plural}.{resource.group}" if resource.group else resource.plural
        secret = plural == SECRET.plural and verb in _CARRY
        return Call(self.cluster, self.context, verb, plural, namespace, name, secret)

    def _ask(
        self,
        call: Call,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        ends: float | None = None,
    ) -> Object:
        """Send, and return the answer as JSON; raise the error for any other answer."""
        reply = self._reply(call, path, query=query, body=body, headers=headers, ends=ends)
        return parsed(call, reply.body, self._wire.heard)

    def _reply(
        self,
        call: Call,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        ends: float | None = None,
    ) -> Reply:
        """Send, and return a successful answer; raise the error for any other."""
        asked = {key: value for key, value in (query or {}).items() if value}
        with self._lock:
            self.requests[f"{call.verb}?dry" if "dryRun" in asked else call.verb, call.resource] += 1
        url = quote(path, safe="/:?=&,;@+~!$'()*") + (f"?{urlencode(asked)}" if asked else "")
        sent = {"accept": _JSON, "accept-encoding": "gzip", "user-agent": "meshform", **(headers or {})}
        reply = self._wire.ask(call, _METHODS[call.verb], url, body=body, headers=sent, ends=ends)
        if not 200 <= reply.status < 300:
            raise refusal(call, reply.status, reply.body)
        return reply


def connect(
    clusters: Clusters,
    env: Mapping[str, str],
    *,
    patience: Patience | None = None,
    sleep: Sleep = time.sleep,
) -> Mapping[str, ApiServer]:
    """Return the API server of each (name, context, kubeconfig); nothing is sent before the first call.

    Raises one MeshError with every context that cannot be used. `sleep` waits between attempts.
    """
    plugins, usual = Plugins(env), Patience().of(env)
    return {
        name: ApiServer(
            name, target.context, Wire(Credentials(target, plugins), patience or usual, env, sleep)
        )
        for name, target in targets(clusters, env).items()
    }


def _write(manager: str, *, dry_run: bool = False) -> Mapping[str, str]:
    return {"fieldManager": manager, "fieldValidation": "Strict", "dryRun": "All" if dry_run else ""}
