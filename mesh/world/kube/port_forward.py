"""GET a port of a pod the way of `kubectl port-forward`: the pod sees a client on its own loopback.

The API server's proxy to pods connects from elsewhere, and what istiod and ztunnel tell of themselves they
tell on loopback only. The protocol is `v4.channel.k8s.io` over a WebSocket: each message begins with the
number of its channel, 0 for data and 1 for errors; the first message of a channel holds the port.
"""

from __future__ import annotations

import http.client
import io
import socket
import ssl
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from mesh.model.bounded_text import Unfit, megabytes
from mesh.world.kube.auth import Login
from mesh.world.kube.error_bodies import refusal, shown
from mesh.world.kube.errors import Call, Malformed, Unreachable
from mesh.world.kube.kubeconfig import Target
from mesh.world.kube.pool import proxy_of, reason, tls

PROTOCOL = "v4.channel.k8s.io"
DATA, ERROR = 0, 1
FRAMING = 1 << 20
"""Bytes beside those of the answer: headers, frames, control messages."""


def get(
    call: Call, target: Target, login: Login, env: Mapping[str, str], *, path: str, port: int, asked: str,
    most: int, ends: float,
) -> bytes:  # fmt: skip
    """Return the body of GET `asked` at a port of the pod whose `portforward` is `path`.

    `ends` is of `time.monotonic`. Raise Unreachable if nothing answers there, Malformed if the answer has
    more than `most` bytes, and what a refusal of the API server calls for.
    """
    import websocket

    try:
        connection = _open(call, target, login, env, f"{path}?ports={port}", most, ends)
        try:
            return _asked(call, _Channel(connection, ends), asked, most)
        finally:
            connection.shutdown()
    except websocket.WebSocketBadStatusException as error:
        raise refusal(call, error.status_code, error.resp_body or b"") from None
    except Unfit as error:
        raise Malformed(call, error) from None
    except (websocket.WebSocketException, http.client.HTTPException, OSError, ValueError) as error:
        raise Unreachable(call, f"port {port}: {shown(reason(error))}") from None


def _open(
    call: Call, target: Target, login: Login, env: Mapping[str, str], path: str, most: int, ends: float
) -> Any:
    import websocket

    options: dict[str, Any] = {}
    if target.server.startswith("https:"):
        host = target.tls_server_name or urlsplit(target.server).hostname
        options["sslopt"] = {"context": tls(call, target, login), "server_hostname": host}
    connection: Any = websocket.WebSocket(enable_multithread=False, **options)
    connection.settimeout(max(0.001, ends - time.monotonic()))
    connection.connect(
        "ws" + target.server.removeprefix("http") + path,
        header=[f"{name}: {value}" for name, value in login.headers],
        subprotocols=[PROTOCOL],
        suppress_origin=True,
        redirect_limit=0,
        **_proxy(target.proxy or proxy_of(target.server, env)),
    )
    connection.sock = _Bounded(connection.sock, most + FRAMING, ends)
    return connection


def _proxy(url: str) -> Mapping[str, Any]:
    if not url:
        return {"http_no_proxy": ["*"]}  # it would look into the environment by rules of its own
    parts = urlsplit(url)
    kind = "socks5h" if parts.scheme.startswith("socks") else "http"
    login = (unquote(parts.username), unquote(parts.password or "")) if parts.username else None
    return {
        "http_proxy_host": parts.hostname,
        "http_proxy_port": parts.port or 80,
        "http_proxy_auth": login,
        "proxy_type": kind,
        "http_no_proxy": [],
    }


class _Bounded:
    """A socket that gives no more than so many bytes, until a time of `time.monotonic`."""

    def __init__(self, sock: socket.socket, most: int, ends: float) -> None:
        self._sock, self._left, self._most, self._ends = sock, most, most, ends

    def recv(self, size: int) -> bytes:
        self._sock.settimeout(max(0.001, self._ends - time.monotonic()))
        some = self._sock.recv(min(size, 65_536))
        self._left -= len(some)
        if self._left < 0:
            raise Unfit(f"it is larger than {megabytes(self._most)}")
        return some

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)


class _Channel(io.RawIOBase):
    """The bytes of a pod's port; reads wait for messages."""

    def __init__(self, connection: Any, ends: float) -> None:
        self._connection, self._ends = connection, ends
        self._ready = b""
        self._begun: set[int] = set()
        self._over = False

    def send(self, some: bytes) -> None:
        self._connection.send_binary(bytes([DATA]) + some)

    def makefile(self, *_: Any) -> io.BufferedReader:
        """For `HTTPResponse`, which takes a socket."""
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._ready and not self._over:
            self._receive()
        some, self._ready = self._ready[: len(buffer)], self._ready[len(buffer) :]
        buffer[: len(some)] = some
        return len(some)

    def _receive(self) -> None:
        import websocket

        try:
            message = self._connection.recv()
        except websocket.WebSocketConnectionClosedException:
            message = b""
        except (websocket.WebSocketTimeoutException, ssl.SSLWantReadError):
            raise OSError("no answer in time") from None
        message = message.encode() if isinstance(message, str) else message
        if not message:
            self._over = True
            return
        channel, content = message[0], message[1:]
        if channel not in self._begun:
            self._begun.add(channel)
            content = content[2:]
        if channel == ERROR and content:
            raise OSError(content.decode("utf-8", "replace"))
        if channel == DATA:
            self._ready += content


def _asked(call: Call, channel: _Channel, asked: str, most: int) -> bytes:
    head = f"GET /{asked} HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\nConnection: close\r\n\r\n"
    channel.send(head.encode("ascii"))
    answer = http.client.HTTPResponse(channel, method="GET")  # type: ignore[arg-type]  # it only calls makefile
    answer.begin()
    body = answer.read(most + 1)
    if len(body) > most:
        raise Unfit(f"it is larger than {megabytes(most)}")
    if answer.status != http.HTTPStatus.OK:
        raise refusal(call, answer.status, body)
    return body
