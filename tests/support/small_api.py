"""A small API server in memory, over HTTP on loopback: what a plan of a fresh cluster reads."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

Objects = Mapping[str, list[dict[str, object]]]

SYSTEM = {"metadata": {"name": "kube-system", "uid": "uid-of-kube-system"}}
NODE = {"metadata": {"name": "node", "uid": "n"}, "spec": {}, "status": {"nodeInfo": {}}}
CORE = ("namespaces", "nodes", "secrets", "configmaps", "services", "pods", "serviceaccounts")
SERVED = (*(f"/api/v1/{each}" for each in CORE), "/apis/apps/v1/deployments", "/apis/apps/v1/daemonsets")
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
LEASES = "/apis/coordination.k8s.io/v1/leases"


def fresh(uid: str = "uid-of-kube-system") -> dict[str, list[dict[str, object]]]:
    """Return the objects of a cluster without Istio."""
    empty: dict[str, list[dict[str, object]]] = {path: [] for path in (*SERVED, CRDS, LEASES)}
    system = {"metadata": {"name": "kube-system", "uid": uid}}
    return {**empty, "/api/v1/namespaces": [system], "/api/v1/nodes": [NODE]}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    objects: Objects

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if path == "/version":
            self.give(200, {"gitVersion": "v1.33.1"})
        elif path == "/apis":
            self.give(200, {"groups": []})
        else:
            self.collection(path)

    def collection(self, path: str) -> None:
        """Answer a LIST of all namespaces or of one, and a GET of one object."""
        parts = path.split("/")
        if "namespaces" in parts[:-1]:
            at = parts.index("namespaces")
            namespace, rest = parts[at + 1], parts[at + 2 :]
            whole, name = "/".join([*parts[:at], *rest[:1]]), rest[1] if len(rest) > 1 else ""
        else:
            whole, name, namespace = path, "", ""
        if whole not in self.objects:
            self.give(404, {"kind": "Status", "message": "not found", "reason": "NotFound"})
            return
        found = [
            obj
            for obj in self.objects[whole]
            if not isinstance(meta := obj.get("metadata"), dict)
            or (namespace in ("", meta.get("namespace")) and name in ("", meta.get("name")))
        ]
        if name:
            self.give(200, found[0]) if found else self.give(404, {"kind": "Status"})
        else:
            self.give(200, {"kind": "List", "metadata": {}, "items": found})

    def do_PATCH(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        assert "dryRun=All" in self.path, "a plan writes nothing"
        self.give(200, {**body, "metadata": {**body["metadata"], "uid": "u"}})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        assert body["kind"] == "SelfSubjectAccessReview", "a plan writes nothing"
        self.give(201, {**body, "metadata": {}, "status": {"allowed": True}})

    def give(self, status: int, body: object) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """A connection that the client has closed."""


@contextmanager
def small_api(objects: Objects) -> Iterator[str]:
    """Yield the address of a server that serves these collections, by their paths."""
    server = Server(("127.0.0.1", 0), type("Bound", (Handler,), {"objects": objects}))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
