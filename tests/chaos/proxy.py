"""A proxy before an API server that answers as a bad network does, by a seed."""

from __future__ import annotations

import json
import random
import socket
import ssl
import struct
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import urllib3
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

FAULTS = ("429", "500", "503", "503-after", "504-after", "reset", "reset-after", "hang", "hang-after", "cut")
HANG = 35.0
"""Seconds without an answer: longer than mesh waits for one."""


class Proxy(ThreadingHTTPServer):
    """One proxy; `share` of the requests are struck by one of `kinds`."""

    daemon_threads = True

    def __init__(
        self, target: str, cert: Path, ca: bytes, seed: int, share: float, kinds: tuple[str, ...]
    ) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.target, self.share, self.kinds = target, share, kinds
        self.draw, self.struck, self.lock = random.Random(seed), Counter[str](), threading.Lock()
        context = ssl.create_default_context(cadata=ca.decode())
        context.load_cert_chain(cert)
        self.pool = urllib3.PoolManager(ssl_context=context, maxsize=20, retries=False)

    def fault(self) -> str:
        with self.lock:
            chosen = self.draw.choice(self.kinds) if self.draw.random() < self.share else ""
            self.struck[chosen or "none"] += 1
            return chosen

    def handle_error(self, *_: object) -> None:
        """A connection that was reset is no news."""


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server: Proxy

    def pass_on(self) -> None:
        """Forward one request, or what the seed makes of it."""
        body = self.rfile.read(int(self.headers.get("content-length", "0") or "0"))
        fault = self.server.fault()
        if fault in ("429", "500", "503"):
            return self.give(
                int(fault), json.dumps({"kind": "Status", "reason": "busy", "code": int(fault)}).encode(), {}
            )
        if fault == "reset":
            return self.reset()
        if fault == "hang":
            time.sleep(HANG)
            return self.reset()
        left = {"host", "content-length", "connection", "authorization"}
        headers = {name: value for name, value in self.headers.items() if name.lower() not in left}
        answer = self.server.pool.request(
            self.command,
            self.server.target + self.path,
            body=body or None,
            headers=headers,
            decode_content=False,
        )
        return self.after(fault, answer)

    do_GET = do_PATCH = do_POST = do_PUT = do_DELETE = pass_on  # noqa: N815  # http.server's names

    def after(self, fault: str, answer: urllib3.BaseHTTPResponse) -> None:
        if fault in ("503-after", "504-after"):
            return self.give(int(fault[:3]), b"{}", {})
        if fault == "reset-after":
            return self.reset()
        if fault == "hang-after":
            time.sleep(HANG)
            return self.reset()
        names = ("content-type", "content-encoding", "date", "audit-id")
        headers = {name: answer.headers[name] for name in names if name in answer.headers}
        return self.give(answer.status, answer.data, headers, cut=fault == "cut")

    def give(self, status: int, body: bytes, headers: dict[str, str], *, cut: bool = False) -> None:
        self.send_response_only(status)
        for name, value in {**headers, "content-length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if cut else body)
        if cut:
            self.reset()

    def reset(self) -> None:
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def _certificate(folder: Path) -> Path:
    """Make a certificate for this machine that signs itself."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "chaos")])
    cert = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=800))
        .not_valid_after(now + timedelta(days=800))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    encoding, none = serialization.Encoding.PEM, serialization.NoEncryption()
    pem = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, none)
    path = folder / "proxy.pem"
    path.touch(0o600)
    path.write_bytes(pem + cert.public_bytes(encoding))
    return path


@contextmanager
def before(
    kubeconfig: Path, seed: int, share: float, kinds: tuple[str, ...]
) -> Iterator[tuple[Path, Counter[str]]]:
    """Put a proxy before every cluster of a kubeconfig; yield the kubeconfig that leads to them."""
    import base64

    config: Any = yaml.safe_load(kubeconfig.read_text())
    struck: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        own = _certificate(folder)
        shown = own.read_bytes().partition(b"-----BEGIN CERTIFICATE-----")
        authority = base64.b64encode(shown[1] + shown[2]).decode()
        servers = []
        users = {each["name"]: each["user"] for each in config["users"]}
        contexts = {each["context"]["cluster"]: each["context"]["user"] for each in config["contexts"]}
        for number, each in enumerate(config["clusters"]):
            ca, pair = _credentials(each["cluster"], users[contexts[each["name"]]], folder / f"{number}.pem")
            one = Proxy(each["cluster"]["server"], pair, ca, seed + number, share, kinds)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(own)
            one.socket = context.wrap_socket(one.socket, server_side=True, do_handshake_on_connect=False)
            one.struck = struck
            threading.Thread(target=one.serve_forever, args=(0.05,), daemon=True).start()
            servers.append(one)
            each["cluster"] = {
                "server": f"https://127.0.0.1:{one.server_address[1]}",
                "certificate-authority-data": authority,
            }
        for user in config["users"]:
            user["user"] = {"token": "none"}
        path = folder / "kubeconfig"
        path.write_text(yaml.safe_dump(config))
        try:
            yield path, struck
        finally:
            for one in servers:
                one.shutdown()
                one.server_close()


def _credentials(cluster: dict[str, str], user: dict[str, str], path: Path) -> tuple[bytes, Path]:
    """Return the CA of a cluster, and a file with certificate and key of its user."""
    import base64

    def read(section: dict[str, str], name: str) -> bytes:
        return (
            base64.b64decode(section[f"{name}-data"])
            if f"{name}-data" in section
            else Path(section[name]).read_bytes()
        )

    path.touch(0o600)
    path.write_bytes(read(user, "client-certificate") + b"\n" + read(user, "client-key"))
    return read(cluster, "certificate-authority"), path
