"""An API server that is real, and stumbles on request."""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from mesh.world.kube.client import ApiServer, Patience, connect

OBJECT = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "cm", "namespace": "ns"}}
EMPTY = {"items": []}

HTTP = {"MESH_ALLOW_HTTP": "127.0.0.1, not-there.test:8080"}
"""What allows a server without TLS."""

RESET, CUT, SILENT = "reset", "cut", "silent"
Answer = str | tuple[int, object, dict[str, str]]


def answer(status: int, body: object = EMPTY, **headers: str) -> Answer:
    return status, body, headers


@dataclass
class Stumbling:
    """A server that gives the answers it was told, in order, and the last one for ever."""

    url: str
    stop: Callable[[], None]
    answers: list[Answer] = field(default_factory=lambda: [answer(200)])
    seen: list[tuple[str, str, str]] = field(default_factory=list)
    together: int = 0
    most: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def next(self, method: str, path: str, who: str) -> Answer:
        with self.lock:
            self.seen.append((method, path, who))
            return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    @property
    def methods(self) -> list[str]:
        return [method for method, _, _ in self.seen]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    state: Stumbling

    def handle_one(self) -> None:
        state = self.state
        with state.lock:
            state.together += 1
            state.most = max(state.most, state.together)
        try:
            self.rfile.read(int(self.headers.get("content-length", "0")))
            self.give(state.next(self.command, self.path, self.headers.get("authorization", "")))
        finally:
            with state.lock:
                state.together -= 1

    do_GET = do_PATCH = do_POST = do_PUT = do_DELETE = handle_one  # noqa: N815  # http.server's names

    def give(self, what: Answer) -> None:
        if isinstance(what, str):
            self.close_connection = True
            if what == RESET:
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.connection.close()
            if what == SILENT:
                time.sleep(0.6)
            return
        status, body, headers = what
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"content-length": str(len(content)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


class Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """A connection that we have reset is no news."""


@contextmanager
def serving() -> Iterator[Stumbling]:
    """A server of its own; stopped at the end."""
    handler = type("Bound", (Handler,), {})
    httpd = Quiet(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=httpd.serve_forever, args=(0.01,))
    thread.start()

    def stop() -> None:
        httpd.shutdown()
        thread.join()
        httpd.server_close()

    handler.state = Stumbling(f"http://127.0.0.1:{httpd.server_address[1]}", stop)
    yield handler.state
    stop()


@dataclass
class Rig:
    kube: ApiServer
    slept: list[float]


def rig(folder: Path, url: str, user: dict[str, str] | None = None, **patience: float) -> Rig:
    config = {
        "clusters": [{"name": "c", "cluster": {"server": url}}],
        "users": [{"name": "c", "user": user or {}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "c"}}],
    }
    (folder / "config").write_text(json.dumps(config))
    slept: list[float] = []
    patient = Patience(**patience)  # type: ignore[arg-type]  # whole numbers are numbers
    kubes = connect([("east", "c", str(folder / "config"))], HTTP, patience=patient, sleep=slept.append)
    return Rig(kubes["east"], slept)
