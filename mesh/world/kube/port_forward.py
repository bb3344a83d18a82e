"""GET a port of a pod the way of `kubectl port-forward`: the pod sees a client on its own loopback.

The API server's proxy to pods connects from elsewhere, and what istiod and ztunnel tell of themselves they
tell on loopback only. The protocol is `v4.channel.k8s.io` over a WebSocket: each message begins with the
number of its channel, 0 for data and 1 for errors; the first message of a channel holds the port.
"""

from __future__ import annotations

import base64
import http.client
import io
import secrets
import time
from collections.abc import Mapping
from contextlib import closing
from typing import Any
from urllib.parse import unquote, urlsplit

from mesh.model.bounded_text import Unfit, megabytes
from mesh.world.bounded_http import bounded, bounded_class
from mesh.world.kube.auth import Login
from mesh.world.kube.error_bodies import refusal, shown
from mesh.world.kube.errors import Call, Malformed, Unreachable
from mesh.world.kube.kubeconfig import Target
from mesh.world.kube.pool import proxy_of, reason, tls

PROTOCOL = "v4.channel.k8s.io"
DATA, ERROR = 0, 1


def get(
    call: Call, target: Target, login: Login, env: Mapping[str, str], *, path: str, port: int, asked: str,
    most: int, ends: float,
) -> bytes:  # fmt: skip
    """Return the body of GET `asked` at a port of the pod whose `portforward` is `path`.

    `ends` is of `time.monotonic`. Raise Unreachable if nothing answers there, Malformed if the answer has
    more than `most` bytes, and what a refusal of the API server calls for.
    """
    from websocket import WebSocketException

    try:
        with bounded(most, ends), closing(_connection(call, target, login, env, ends)) as connection:
            answer = _upgraded(connection, target, login, f"{path}?ports={port}")
            with answer:
                if answer.status != http.HTTPStatus.SWITCHING_PROTOCOLS:
                    raise refusal(call, answer.status, answer.read())
                return _asked(call, _Channel(connection.sock, answer), asked, most)
    except Unfit as error:
        raise Malformed(call, error) from None
    except (WebSocketException, http.client.HTTPException, OSError, ValueError) as error:
        raise Unreachable(call, f"port {port}: {shown(reason(error))}") from None


class _Connection(http.client.HTTPConnection):
    """A connection to an API server, perhaps through an HTTP proxy; `tls` has its settings and its name."""

    tls: tuple[Any, str] | None = None

    def connect(self) -> None:
        """Connect, tunnel, and shake hands."""
        super().connect()
        if self.tls:
            context, name = self.tls
            self.sock = context.wrap_socket(self.sock, server_hostname=name)


_Bounded: Any = bounded_class(_Connection)


def _connection(
    call: Call, target: Target, login: Login, env: Mapping[str, str], ends: float
) -> http.client.HTTPConnection:
    server = urlsplit(target.server)
    host, port = server.hostname or "", server.port or (443 if server.scheme == "https" else 80)
    seconds = max(0.001, ends - time.monotonic())
    proxy = urlsplit(target.proxy or proxy_of(target.server, env))
    if proxy.scheme not in ("", "http"):
        raise Unreachable(call, f"its proxy has the scheme {proxy.scheme}, which port-forwards do not use")
    connection: http.client.HTTPConnection
    if proxy.scheme:
        connection = _Bounded(proxy.hostname or "", proxy.port or 80, timeout=seconds)
        connection.set_tunnel(host, port, _proxy_login(proxy.username, proxy.password))
    else:
        connection = _Bounded(host, port, timeout=seconds)
    if server.scheme == "https":
        connection.tls = (tls(call, target, login), target.tls_server_name or host)  # type: ignore[attr-defined]
    return connection


def _proxy_login(name: str | None, password: str | None) -> dict[str, str]:
    if not name:
        return {}
    both = f"{unquote(name)}:{unquote(password or '')}"
    return {"Proxy-Authorization": f"Basic {base64.b64encode(both.encode()).decode()}"}


def _upgraded(
    connection: http.client.HTTPConnection, target: Target, login: Login, path: str
) -> http.client.HTTPResponse:
    """Ask for a WebSocket; return the answer, behind which the messages follow if it is 101."""
    headers = {
        **dict(login.headers),
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": base64.b64encode(secrets.token_bytes(16)).decode(),
        "Sec-WebSocket-Protocol": PROTOCOL,
        "User-Agent": "meshform",
    }
    connection.request("GET", urlsplit(target.server).path.rstrip("/") + path, headers=headers)
    return connection.getresponse()


class _Channel(io.RawIOBase):
    """The bytes of a pod's port; reads wait for messages."""

    def __init__(self, sock: Any, answer: http.client.HTTPResponse) -> None:
        from websocket import frame_buffer

        if answer.getheader("Sec-WebSocket-Protocol") != PROTOCOL:
            raise OSError("the server does not speak the protocol of port-forwards")
        self._sock = sock
        # Messages that came with the answer are in its reader already.
        reader: io.BufferedReader = answer.fp
        self._frames = frame_buffer(lambda size: reader.read1(size) or _ended(), skip_utf8_validation=True)
        self._ready = memoryview(b"")
        self._begun: set[int] = set()
        self._over = False

    def send(self, some: bytes) -> None:
        from websocket import ABNF

        self._sock.sendall(ABNF.create_frame(bytes([DATA]) + some, ABNF.OPCODE_BINARY).format())

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
        from websocket import ABNF

        frame = self._frames.recv_frame()
        if frame.opcode == ABNF.OPCODE_CLOSE:
            self._over = True
        if frame.opcode != ABNF.OPCODE_BINARY or not frame.data:
            return
        data = bytes(frame.data)  # type: ignore[arg-type]  # text only in frames that were made from text
        channel, content = data[0], memoryview(data)[1:]
        if channel not in self._begun:
            self._begun.add(channel)
            content = content[2:]
        if channel == ERROR and content:
            raise OSError(bytes(content).decode("utf-8", "replace"))
        if channel == DATA:
            self._ready = content


def _ended() -> bytes:
    raise OSError("the connection ended")


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
