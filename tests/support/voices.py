"""Voices for the pods of a lab: a test answers on their ports, and the API server finds it there.

Lab pods do not run. An API server reaches the ports of pods, and the kubelets of their nodes, by a socket
in its cluster's folder; who listens there is all of them. A kubelet takes port-forwards: WebSockets in TLS.
"""

from __future__ import annotations

import base64
import hashlib
import json
import socket
import ssl
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingMixIn, UnixStreamServer
from typing import BinaryIO
from urllib.parse import parse_qs, urlsplit

from mesh.lab import Lab
from tests.conftest import output

Answers = dict[str, Callable[[], str]]
"""By `port/path` what every pod answers there; anything else is not found."""

RUNTIME = '{{"status":{{"nodeInfo":{{"containerRuntimeVersion":"{}"}}}}}}'


KUBELET = "10250"
DATA, ERROR = 0, 1
"""Channels of a port-forward."""
BINARY = 0x82


class Pods(ThreadingMixIn, UnixStreamServer):
    """Every port of every pod of a cluster."""

    daemon_threads = True

    def __init__(self, path: Path, answers: Answers, pki: Path) -> None:
        self.answers = answers
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(pki / "server.crt", pki / "server.key")
        super().__init__(str(path), Pod)


class Pod(BaseHTTPRequestHandler):
    """One connection that an API server makes to a pod: where to, and then what it asks."""

    protocol_version = "HTTP/1.1"
    server: Pods
    to = ""

    def do_CONNECT(self) -> None:  # the name that http.server looks for
        self.to = self.path.rpartition(":")[2]
        self.send_response_only(200)
        self.end_headers()
        if self.to == KUBELET:
            self.close_connection = True
            with self.server.tls.wrap_socket(self.connection, server_side=True) as inside:
                forward(inside, self.server.answers)

    def do_GET(self) -> None:  # the name that http.server looks for
        answer = self.server.answers.get(f"{self.to}{self.path}")
        body = (answer() if answer else "not found").encode()
        self.send_response_only(200 if answer else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def forward(connection: socket.socket, answers: Answers) -> None:
    """One port-forward of one port: a GET is answered, and the WebSocket closed."""
    with connection.makefile("rb") as reader:
        first, headers = _head(reader)
        asked = parse_qs(urlsplit(first.split()[1]).query)
        port = int((asked.get("ports") or asked["port"])[0])  # as an API server is asked, and as it asks
        accepted = hashlib.sha1(
            (headers["sec-websocket-key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode(),
            usedforsecurity=False,
        )
        connection.sendall(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Protocol: v4.channel.k8s.io\r\nSec-WebSocket-Accept: "
            + base64.b64encode(accepted.digest())
            + b"\r\n\r\n"
        )
        for channel in (DATA, ERROR):
            _message(connection, bytes([channel]) + port.to_bytes(2, "little"))
        path = _received(reader)[1:].split()[1].decode()
        answer = answers.get(f"{port}{path}")
        if answer is None:
            _message(connection, bytes([ERROR]) + f"connection refused: {path}".encode())
        else:
            body = answer().encode()
            head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n".encode()
            for some in (head, body):
                _message(connection, bytes([DATA]) + some)
        connection.sendall(b"\x88\x00")


def _head(reader: BinaryIO) -> tuple[str, dict[str, str]]:
    lines = iter(lambda: reader.readline().decode().strip(), "")
    first = next(lines)
    pairs = (line.partition(":") for line in lines)
    return first, {name.lower(): value.strip() for name, _, value in pairs}


def _message(connection: socket.socket, content: bytes) -> None:
    size = len(content)
    length = bytes([size]) if size < 126 else bytes([126]) + size.to_bytes(2, "big")
    connection.sendall(bytes([BINARY]) + length + content)


def _received(reader: BinaryIO) -> bytes:
    """One message of a client, which masks it."""
    _, size = reader.read(2)
    size &= 0x7F
    if size == 126:
        size = int.from_bytes(reader.read(2), "big")
    mask = reader.read(4)
    return bytes(each ^ mask[at % 4] for at, each in enumerate(reader.read(size)))


@contextmanager
def speaking(lab: Lab, cluster: str) -> Iterator[Answers]:
    """The pods of a cluster answer, on nodes that do not say that they are fake."""
    answers: Answers = {}
    socket = lab.folder / cluster / "pods.sock"
    with tempfile.TemporaryDirectory() as short:  # the path of a socket may have some hundred bytes only
        path = Path(short) / "pods.sock"
        with Pods(path, answers, lab.folder / cluster / "pki") as pods:
            socket.symlink_to(path)
            thread = threading.Thread(target=pods.serve_forever, kwargs={"poll_interval": 0.05})
            thread.start()
            fake = _runtimes(lab, cluster)
            try:
                _run_by(lab, cluster, dict.fromkeys(fake, "containerd://2.1.4"))
                yield answers
            finally:
                _run_by(lab, cluster, fake)
                socket.unlink()
                pods.shutdown()
                thread.join()


def _runtimes(lab: Lab, cluster: str) -> dict[str, str]:
    """What runs the pods of each node, as the nodes say."""
    found = json.loads(output(lab, ["kubectl", "--context", cluster, "get", "nodes", "-o", "json"]))
    info = {each["metadata"]["name"]: each["status"]["nodeInfo"] for each in found["items"]}
    return {name: each["containerRuntimeVersion"] for name, each in info.items()}


def _run_by(lab: Lab, cluster: str, runtimes: dict[str, str]) -> None:
    for node, runtime in runtimes.items():
        change = ("--subresource=status", "--type=merge", "-p", RUNTIME.format(runtime))
        output(lab, ["kubectl", "--context", cluster, "patch", "node", node, *change])
