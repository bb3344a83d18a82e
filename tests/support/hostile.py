"""An API server that means harm: each kind of bad answer by its name, from a socket on loopback."""

from __future__ import annotations

import gzip
import json
import socket
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import count

Send = Callable[[bytes], None]
Answer = Callable[[Send, str, "Pause"], None]
Pause = Callable[[float], None]

PART = b"x" * 65_536
DRIP = 0.2
"""Seconds between two bytes of an answer that never ends; far less than any timeout of a single read."""


def head(*headers: str, status: str = "200 OK") -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", *headers, "", ""]).encode()


def whole(body: bytes | str, *headers: str, status: str = "200 OK") -> Answer:
    data = body.encode() if isinstance(body, str) else body

    def answer(send: Send, _path: str, _pause: Pause) -> None:
        send(head(f"content-length: {len(data)}", *headers, status=status) + data)

    return answer


def listed(*items: object, **more: object) -> Answer:
    return whole(json.dumps({"kind": "List", "metadata": {}, "items": list(items), **more}))


def named(**meta: object) -> dict[str, object]:
    return {"metadata": {"name": "x", "uid": "u", **meta}}


def endless(*headers: str, part: bytes = PART) -> Answer:
    def answer(send: Send, _path: str, _pause: Pause) -> None:
        send(head(*headers))
        while True:
            send(part)

    return answer


def dripping(first: bytes, part: bytes) -> Answer:
    def answer(send: Send, _path: str, pause: Pause) -> None:
        send(first)
        while True:
            pause(DRIP)
            send(part)

    return answer


def paged(*, moves: bool) -> Answer:
    numbers = count()

    def answer(send: Send, path: str, pause: Pause) -> None:
        position = f"p{next(numbers)}" if moves else "p"
        listed(named(), metadata={"continue": position})(send, path, pause)

    return answer


def endless_gzip(send: Send, _path: str, _pause: Pause) -> None:
    packer = zlib.compressobj(wbits=31)
    send(head("content-encoding: gzip"))
    while True:
        send(packer.compress(bytes(1 << 24)) + packer.flush(zlib.Z_FULL_FLUSH))


def silent(_send: Send, _path: str, pause: Pause) -> None:
    pause(3600)


def bomb(size: int) -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    parts = [packer.compress(bytes(1 << 20)) for _ in range(size >> 20)]
    return b"".join(parts) + packer.flush()


KINDS: dict[str, Answer] = {
    "an endless body": endless(),
    "an endless body in chunks": endless("transfer-encoding: chunked", part=b"10000\r\n" + PART + b"\r\n"),
    "an endless gzip": endless_gzip,
    "a gzip bomb": whole(bomb(1 << 28), "content-encoding: gzip"),
    "a gzip that is cut off": whole(gzip.compress(b'{"items": []}' * 9)[:-8], "content-encoding: gzip"),
    "an encoding that was not asked for": whole(b"x", "content-encoding: br"),
    "a body byte by byte": dripping(head(), b" "),
    "a body byte by byte with its length": dripping(head("content-length: 1000000"), b" "),
    "chunks byte by byte": dripping(head("transfer-encoding: chunked"), b"1\r\n \r\n"),
    "a chunk size without an end": endless("transfer-encoding: chunked", part=b"0"),
    "a header byte by byte": dripping(b"HTTP/1.1 200 OK\r\nx: ", b"y"),
    "headers without an end": dripping(b"HTTP/1.1 200 OK\r\n", b"x: y\r\n"),
    "a status line byte by byte": dripping(b"HTTP/1.1 200 ", b"O"),
    "interim answers without an end": lambda send, _path, _pause: (
        [send(head(status="100 Continue") * 500) for _ in iter(int, 1)] and None
    ),
    "a giant header": lambda send, _path, _pause: send(b"HTTP/1.1 200 OK\r\nx: " + PART * 9 + b"\r\n\r\n"),
    "thousands of headers": lambda send, _path, _pause: send(b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 9_000),
    "later, in thirty years (429)": whole("{}", "retry-after: 1000000000", status="429 Too Many Requests"),
    "later, in thirty years (503)": whole("{}", "retry-after: 1000000000", status="503 Unavailable"),
    "the same page for ever": paged(moves=False),
    "another page for ever": paged(moves=True),
    "a page of 100,000": listed(*[named()] * 100_000),
    "a redirect to itself": whole("", "location: /api/v1/nodes", status="302 Found"),
    "deep JSON": whole('{"items": ' + "[" * 100_000 + "]" * 100_000 + "}"),
    "millions of values": whole('{"items": [' + "[]," * 3_000_000 + "[]]}"),
    "one long text": whole('{"items": [], "x": "' + "y" * (9 << 20) + '"}'),
    "a page for people": whole("<html>log in</html>"),
    "JSON in UTF-16": whole('{"items": []}'.encode("utf-16")),
    "half a character": listed(named(labels={"a": "\ud800"})),
    "a number without an end": whole('{"items": [' + "9" * 100_000 + "]}"),
    "NaN": whole('{"items": [NaN]}'),
    "nothing": whole(""),
    "null": whole("null"),
    "a list of lists": whole("[[]]"),
    "an object without items": whole('{"kind": "NodeList"}'),
    "items that are a map": whole('{"items": {"a": 1}}'),
    "items that are numbers": listed(1, 2),
    "an object without metadata": listed({}),
    "a name that is a number": listed(named(name=5)),
    "a name that is a path": listed(named(name="../../secrets/x")),
    "labels that are a list": listed(named(labels=["a"])),
    "annotations with numbers": listed(named(annotations={"a": 1})),
    "managed fields that are text": listed(named(managedFields=["x"])),
    "a spec that is a list": listed({**named(), "spec": [], "status": "x"}),
    "conditions that are text": listed({**named(), "status": {"conditions": "True"}}),
    "a position that is a map": listed(metadata={"continue": {}}),
    "a body that is cut off": whole('{"items": [', "content-length: 9999"),
    "a length below zero": lambda send, _path, _pause: send(head("content-length: -1") + b"{"),
    "a chunk of no size": endless("transfer-encoding: chunked", part=b"zz\r\n"),
    "no HTTP": lambda send, _path, _pause: send(b"SSH-2.0-OpenSSH_9.6\r\n" * 99),
    "a refusal of deep JSON": whole("[" * 100_000, status="403 Forbidden"),
    "a refusal without an end": endless(),
    "a server that is silent": silent,
    "a connection that is closed": lambda _send, _path, _pause: None,
}
"""Each kind of bad answer: it gets a way to send, the path, and a way to wait that ends with the test."""


def _request(connection: socket.socket) -> str:
    """Return the path of a request; its body is left unread."""
    text = b""
    while b"\r\n\r\n" not in text:
        part = connection.recv(65_536)
        if not part:
            return ""
        text += part
    return text.split(b" ", 2)[1].decode("ascii", "replace")


@dataclass
class Hostile:
    """A server that gives one kind of answer to every request."""

    kind: str
    listener: socket.socket = field(
        default_factory=lambda: socket.create_server(("127.0.0.1", 0), backlog=64)
    )
    over: threading.Event = field(default_factory=threading.Event)
    threads: list[threading.Thread] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    def start(self, work: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=work, args=args, daemon=True)
        self.threads.append(thread)
        thread.start()

    def accept(self) -> None:
        self.listener.settimeout(0.1)
        while not self.over.is_set():
            with suppress(OSError):
                connection, _ = self.listener.accept()
                self.start(self.serve, connection)

    def serve(self, connection: socket.socket) -> None:
        connection.settimeout(1)
        with connection, suppress(OSError):
            while path := _request(connection):
                KINDS[self.kind](partial(self.send, connection), path, self.pause)
                if self.kind not in KEPT:
                    return

    def send(self, connection: socket.socket, data: bytes) -> None:
        self.pause(0)
        connection.sendall(data)

    def pause(self, seconds: float) -> None:
        """Wait; raise OSError once the test is over."""
        if self.over.wait(seconds):
            raise OSError


@contextmanager
def hostile(kind: str) -> Iterator[str]:
    """Yield the address of a server that gives one kind of answer to every request."""
    server = Hostile(kind)
    server.start(server.accept)
    try:
        yield server.url
    finally:
        server.over.set()
        for thread in server.threads:
            thread.join()
        server.listener.close()


KEPT = {"the same page for ever", "another page for ever"}
"""Kinds that keep the connection, so that thousands of pages take no thousands of connections."""
