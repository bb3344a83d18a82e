"""The helm program: releases in Secrets, objects by server-side apply; it may fail, die or lie.

It talks to the API server as mesh does, and is struck by the same faults.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mesh.world.helm.command import HelmExit
from tests.sim.api import Object

PENDING = ("pending-install", "pending-upgrade", "pending-rollback")
ISTIO = {"app": "istio"}

Send = Callable[[str, str, Object | None, str], tuple[int, Object]]
"""Method, URL, body, media type; returns status and answer."""


class Failed(Exception):  # noqa: N818  # what helm is then
    """What helm prints when it fails."""


@dataclass(frozen=True)
class Order:
    """One command line of helm."""

    verb: str
    release: str
    namespace: str
    chart: str
    version: str
    values: Mapping[str, Any]
    labels: Mapping[str, str]
    force: bool

    @classmethod
    def parse(cls, argv: list[str], stdin: bytes | None, read: Callable[[str], str]) -> Order:
        """Read a command line as helm does."""
        flags = {argv[at]: argv[at + 1] for at in range(len(argv) - 1) if argv[at].startswith("--")}
        source = flags.get("--values", "")
        text = (
            stdin.decode() if stdin and source == "-" else read(source) if source and source != "-" else "{}"
        )
        labels = dict(each.split("=") for each in flags.get("--labels", "").split(",") if each)
        return cls(
            verb=argv[1],
            release=argv[2],
            namespace=flags["--namespace"],
            chart=argv[3].rpartition("/")[2] if argv[1] != "uninstall" else "",
            version=flags.get("--version", "1.0.0"),
            values=json.loads(text),
            labels=labels,
            force="--force-conflicts" in argv,
        )


def rendered(order: Order) -> list[Object]:
    """Return the objects of a chart with these values."""
    about = {"release": order.release, "version": order.version}
    if order.chart == "base":
        return [_object("v1", "ConfigMap", "istio-base", order, data=about)]
    kind = "Deployment" if order.chart == "istiod" else "DaemonSet"
    env = [{"name": "VALUES", "value": json.dumps(order.values, sort_keys=True)}]
    template = {
        "metadata": {"labels": {"app": order.chart}},
        "spec": {"containers": [{"name": "main", "image": f"{order.chart}:{order.version}", "env": env}]},
    }
    spec: Object = {"selector": {"matchLabels": {"app": order.chart}}, "template": template}
    if kind == "Deployment":
        spec["replicas"] = 1
    workload = _object("apps/v1", kind, order.chart, order, spec=spec)
    config = _object("v1", "ConfigMap", f"{order.chart}-config", order, data=about)
    return [config, workload]


def _object(api: str, kind: str, name: str, order: Order, **more: Any) -> Object:
    meta = {"name": name, "namespace": order.namespace, "labels": {"app": name}}
    return {"apiVersion": api, "kind": kind, "metadata": meta, **more}


def text_of(objects: list[Object]) -> str:
    """Return a rendering as helm prints it: each document begins with its kind, as drift looks for."""
    return "".join(
        "---\napiVersion: {}\nkind: {}\nmetadata:\n  name: {}\n  namespace: {}\n  labels: {}\n{}".format(
            each["apiVersion"],
            each["kind"],
            each["metadata"]["name"],
            each["metadata"]["namespace"],
            json.dumps(each["metadata"]["labels"]),
            "".join(f"{k}: {json.dumps(each[k])}\n" for k in ("data", "spec") if k in each),
        )
        for each in objects
    )


@dataclass
class Helm:
    """One helm process at work on one release."""

    order: Order
    send: Send
    now: Callable[[], str]

    def run(self, point: Callable[[str], None]) -> bytes:
        """Do what the command line says; `point` is called where a fault may strike."""
        point("midway-0")
        if self.order.verb == "uninstall":
            self._uninstall(point)
            return b""
        return self._upgrade(point)

    def _upgrade(self, point: Callable[[str], None]) -> bytes:
        order = self.order
        held = self._revisions()
        last = held[-1] if held else None
        if last and _status(last) in (*PENDING, "uninstalling"):
            raise Failed("another operation (install/upgrade/rollback) is in progress")
        number = (_number(last) if last else 0) + 1
        deployed = next((each for each in reversed(held) if _status(each) == "deployed"), None)
        payload = self._payload(number, "pending-upgrade" if deployed else "pending-install")
        self._ok("POST", self._path(), self._secret(payload))
        point("midway-1")
        try:
            for each in rendered(order):
                self._apply(each)
                point("midway-2")
            for gone in self._dropped(deployed):
                self._drop(gone)
        except Failed as error:
            self._write(
                {**payload, "info": {**payload["info"], "status": "failed", "description": str(error)}}
            )
            raise
        point("midway-3")
        if deployed:
            self._write(
                {**_unpacked(deployed), "info": {**_unpacked(deployed)["info"], "status": "superseded"}}
            )
        done = {**payload, "info": {**payload["info"], "status": "deployed"}}
        self._write(done)
        return json.dumps({"name": order.release, "info": done["info"], "version": number}).encode()

    def _uninstall(self, point: Callable[[str], None]) -> None:
        held = self._revisions()
        if not held:
            return
        last = _unpacked(held[-1])
        self._write({**last, "info": {**last["info"], "status": "uninstalling"}})
        point("midway-1")
        for each in self._dropped_all(held):
            self._drop(each)
            point("midway-2")
        for secret in held:
            self._ok("DELETE", f"{self._path()}/{secret['metadata']['name']}", {}, missing=True)

    def _revisions(self) -> list[Object]:
        status, answer = self.send(
            "GET", f"{self._path()}?labelSelector=owner%3Dhelm,name%3D{self.order.release}", None, ""
        )
        if status != 200:
            raise Failed(f"Kubernetes cluster unreachable: {answer.get('message', status)}")
        return sorted(answer["items"], key=_number)

    def _path(self) -> str:
        return f"/api/v1/namespaces/{self.order.namespace}/secrets"

    def _payload(self, number: int, status: str) -> Object:
        order = self.order
        info = {
            "status": status,
            "description": "",
            "first_deployed": self.now(),
            "last_deployed": self.now(),
        }
        return {
            "name": order.release,
            "namespace": order.namespace,
            "version": number,
            "info": info,
            "config": order.values,
            "manifest": text_of(rendered(order)),
            "chart": {"metadata": {"name": order.chart, "version": order.version, "description": "istio"}},
            "apply_method": "ssa",
            "hooks": [],
        }

    def _secret(self, payload: Object) -> Object:
        name = f"sh.helm.release.v1.{payload['name']}.v{payload['version']}"
        labels = {
            **self.order.labels,
            "owner": "helm",
            "name": payload["name"],
            "status": payload["info"]["status"],
            "version": str(payload["version"]),
        }
        return {
            "apiVersion": "v1",
            "kind": "Secret",
            "type": "helm.sh/release.v1",
            "metadata": {"name": name, "namespace": self.order.namespace, "labels": labels},
            "data": {"release": _packed(payload)},
        }

    def _write(self, payload: Object) -> None:
        """Change the record of a revision, with the labels that it has."""
        body = self._secret(payload)
        path = f"{self._path()}/{body['metadata']['name']}"
        labels = {"status": payload["info"]["status"]}
        patch = {"metadata": {"labels": labels}, "data": body["data"]}
        self._ok("PATCH", f"{path}?fieldManager=helm", patch, media="application/merge-patch+json")

    def _dropped(self, deployed: Object | None) -> list[tuple[str, str]]:
        if deployed is None:
            return []
        kept = {(each["kind"], each["metadata"]["name"]) for each in rendered(self.order)}
        return [each for each in _held(_unpacked(deployed)) if each not in kept]

    def _dropped_all(self, held: list[Object]) -> list[tuple[str, str]]:
        return sorted({each for secret in held for each in _held(_unpacked(secret))})

    def _apply(self, obj: Object) -> None:
        order, meta = self.order, obj["metadata"]
        marks = {
            "meta.helm.sh/release-name": order.release,
            "meta.helm.sh/release-namespace": order.namespace,
        }
        labels = {**meta["labels"], "app.kubernetes.io/managed-by": "Helm"}
        body = {**obj, "metadata": {**meta, "labels": labels, "annotations": marks}}
        force = "true" if order.force else "false"
        url = f"{_collection(obj['kind'], order.namespace)}/{meta['name']}?fieldManager=helm&force={force}"
        self._ok("PATCH", url, body, media="application/apply-patch+yaml")

    def _drop(self, which: tuple[str, str]) -> None:
        kind, name = which
        self._ok("DELETE", f"{_collection(kind, self.order.namespace)}/{name}", {}, missing=True)

    def _ok(self, method: str, url: str, body: Object, *, missing: bool = False, media: str = "") -> Object:
        url = url if "fieldManager" in url or method == "DELETE" else f"{url}?fieldManager=helm"
        status, answer = self.send(method, url, body, media)
        if status >= 300 and not (missing and status == 404):
            raise Failed(str(answer.get("message", status)))
        return answer


def _held(payload: Object) -> list[tuple[str, str]]:
    found = []
    for document in payload["manifest"].split("---\n"):
        lines = dict(line.strip().split(": ", 1) for line in document.splitlines() if ": " in line)
        if "kind" in lines:
            found.append((lines["kind"], lines["name"]))
    return found


def _collection(kind: str, namespace: str) -> str:
    if kind == "ConfigMap":
        return f"/api/v1/namespaces/{namespace}/configmaps"
    return f"/apis/apps/v1/namespaces/{namespace}/{kind.lower()}s"


def _packed(payload: Object) -> str:
    text = json.dumps(payload, separators=(",", ":")).encode()
    return base64.b64encode(base64.b64encode(gzip.compress(text, 1, mtime=0))).decode()


def _unpacked(secret: Object) -> Object:
    unpacked: Object = json.loads(
        gzip.decompress(base64.b64decode(base64.b64decode(secret["data"]["release"])))
    )
    return unpacked


def _status(secret: Object) -> str:
    return str(secret["metadata"]["labels"]["status"])


def _number(secret: Object) -> int:
    return int(secret["metadata"]["labels"]["version"])


def read(path: str) -> str:
    """Read a values file."""
    return Path(path).read_text("utf-8")


def stopped(code: int, text: str) -> HelmExit:
    """Return how mesh learns of a helm that failed."""
    return HelmExit(code, text.encode(), late=False)
