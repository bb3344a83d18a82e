"""Answers that end: limits on the bytes and the seconds of an HTTP answer, from its first byte on.

The timeout of a socket starts again with every byte, so that a server that sends one byte every two seconds
is never late, be it in a header, in a body, or in one interim answer after the other. The connections made
here count what they receive, and look at the clock before each read.
"""

from __future__ import annotations

import io
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import TIMEOUT_MAX, Lock
from typing import TYPE_CHECKING, Any

from mesh.model.bounded_text import Unfit, Unpacker, megabytes

if TYPE_CHECKING:
    import urllib3

PART = 65_536
HEADERS = 1 << 20
"""Bytes of status lines and headers, which come on top of the largest body."""

LARGE = 1 << 20

_ends: ContextVar[float] = ContextVar("ends", default=float("inf"))
_most: ContextVar[int] = ContextVar("most", default=1 << 62)


class LateError(TimeoutError):
    """The answer did not end in time, or a single read of it took too long."""


@contextmanager
def bounded(most: int, ends: float) -> Iterator[None]:
    """Give what this thread asks for inside the context `most` bytes, until `ends` of `time.monotonic`."""
    marks = _most.set(most), _ends.set(ends)
    try:
        yield
    finally:
        _most.reset(marks[0])
        _ends.reset(marks[1])


def with_bounds(pools: urllib3.PoolManager) -> urllib3.PoolManager:
    """Return a pool manager of urllib3 whose connections keep the bounds of the context."""
    classes: Any = pools.pool_classes_by_scheme
    pools.pool_classes_by_scheme = {
        scheme: type(pool.__name__, (pool,), {"ConnectionCls": bounded_class(pool.ConnectionCls)})
        for scheme, pool in classes.items()
    }
    return pools


def bounded_class(connection: type[Any]) -> type[Any]:
    """Return a class of connections whose answers keep the bounds of the context."""

    def connect(self: Any) -> None:
        connection.connect(self)
        self.sock = _Socket(self.sock)

    return type(connection.__name__, (connection,), {"connect": connect})


class _Socket:
    """A connected socket; the files made of it are bounded."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def makefile(self, mode: str = "r", *args: Any, **options: Any) -> Any:
        if mode != "rb":
            return self._sock.makefile(mode, *args, **options)  # type: ignore[call-overload]  # any mode
        raw = self._sock.makefile("rb", buffering=0)
        return io.BufferedReader(_Answer(self._sock, raw), PART)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)


class _Answer(io.RawIOBase):
    """One answer as it comes, headers included."""

    def __init__(self, sock: socket.socket, raw: io.RawIOBase) -> None:
        self._sock, self._raw = sock, raw
        self._patience = sock.gettimeout()
        self._left = _most.get() + HEADERS

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = _ends.get() - time.monotonic()
        if left <= 0:
            raise LateError
        self._sock.settimeout(left if self._patience is None else min(left, self._patience))
        try:
            size: int | None = self._raw.readinto(buffer)
        except TimeoutError:
            raise LateError from None
        self._left -= size or 0
        if self._left < 0:
            raise Unfit(f"it is larger than {megabytes(_most.get())}")
        return size

    def close(self) -> None:
        self._raw.close()
        super().close()


def body_of(answer: Any, most: int, one_large: Lock) -> bytes:
    """Return the body of an answer, unpacked; raise Unfit if it is larger than `most`.

    Of the answers that share `one_large`, one at a time grows beyond `LARGE`, so that several do not take
    the memory of several.
    """
    unpacker = _unpacker(answer.headers.get("content-encoding", ""), most)
    body = bytearray()
    try:
        _receive_all(answer, unpacker, body, most, one_large)
        if len(body) > most:
            raise Unfit(f"it is larger than {megabytes(most)}")
        if unpacker and body and not unpacker.is_whole:
            raise Unfit("its gzip is cut off")
        answer.release_conn()
        return bytes(body)
    finally:
        body.clear()  # the frames of an error that is kept would hold it


def _receive_all(answer: Any, unpacker: Unpacker | None, body: bytearray, most: int, one_large: Lock) -> None:
    if _received(answer, unpacker, body, min(LARGE, most)) or len(body) > most:
        return
    if not one_large.acquire(timeout=max(0.0, min(_ends.get() - time.monotonic(), TIMEOUT_MAX))):
        raise LateError
    try:
        _received(answer, unpacker, body, most)
    finally:
        one_large.release()


def _received(answer: Any, unpacker: Unpacker | None, body: bytearray, most: int) -> bool:
    """Append to the body until it is complete, or longer than `most`; return whether it is complete."""
    while len(body) <= most:
        if unpacker and unpacker.pending:
            body += unpacker.add()
            continue
        part = answer.read1(PART, decode_content=False)
        if not part:
            return True
        body += unpacker.add(part) if unpacker else part
    return False


def _unpacker(encoding: str, most: int) -> Unpacker | None:
    match encoding.strip().lower():
        case "" | "identity":
            return None
        case "gzip" | "x-gzip":
            return Unpacker(most)
    raise Unfit("it has an encoding that was not asked for")
