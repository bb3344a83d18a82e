"""A port of a pod is read as kubectl port-forward does, whatever the server answers."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from mesh.errors import KubeError
from mesh.world.kube import port_forward
from mesh.world.kube.auth import Login
from mesh.world.kube.errors import Call, Forbidden, Malformed, Unreachable
from mesh.world.kube.kubeconfig import Section, Target
from tests.support.voices import Answers, forward

CALL = Call("east", "east", "get", "pods/portforward", "istio-system", "istiod-1")
Serve = Callable[[socket.socket], None]


@contextmanager
def server(serve: Serve) -> Iterator[str]:
    """A server that treats one connection as `serve` says; yields its URL."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)

        def run() -> None:
            with suppress(OSError):
                connection, _ = listener.accept()
                connection.settimeout(10)
                with connection:
                    serve(connection)

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            listener.close()
            thread.join()


def asked(serve: Serve, *, most: int = 1000, seconds: float = 20.0) -> bytes:
    with server(serve) as url:
        return port_forward.get(
            CALL,
            Target("east", "east", url, Section({}, Path()), Section({}, Path())),
            Login(headers=(("Authorization", "Bearer t"),)),
            {},
            path="/api/v1/namespaces/istio-system/pods/istiod-1/portforward",
            port=15014,
            asked="debug/clusterz",
            most=most,
            ends=time.monotonic() + seconds,
        )


def answering(text: str) -> Serve:
    answers: Answers = {"15014/debug/clusterz": lambda: text}
    return lambda connection: forward(connection, answers)


def said(text: bytes) -> Serve:
    """Answer every request with the same bytes."""

    def serve(connection: socket.socket) -> None:
        connection.recv(65_536)
        connection.sendall(text)
        with suppress(OSError):
            connection.recv(65_536)  # until the client has had enough

    return serve


def silent(connection: socket.socket) -> None:
    with suppress(OSError):
        while connection.recv(65_536):
            pass


def refused(serve: Serve, error: type[KubeError], *, seconds: float = 20.0) -> str:
    with pytest.raises(error) as found:
        asked(serve, seconds=seconds)
    assert "cluster east" in found.value.message
    return found.value.message


def test_the_body_of_an_answer_is_returned() -> None:
    assert asked(answering("[]")) == b"[]"
    assert asked(answering("x" * 900)) == b"x" * 900


def test_a_port_that_nothing_listens_at_says_so() -> None:
    assert "connection refused" in refused(lambda connection: forward(connection, {}), Unreachable)


def test_an_answer_that_is_too_large_is_not_taken() -> None:
    assert "larger than" in refused(answering("x" * 5000), Malformed)


def test_a_refusal_of_the_server_keeps_its_reason() -> None:
    body = b'{"kind":"Status","message":"no port-forward for you","reason":"Forbidden","code":403}'
    head = b"HTTP/1.1 403 Forbidden\r\nContent-Length: %d\r\n\r\n" % len(body)
    assert "no port-forward for you" in refused(said(head + body), Forbidden)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\x00\x01\x02",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 301 Moved\r\nLocation: http://x.test\r\n\r\n",
    ],
    ids=["nothing", "noise", "no WebSocket", "a redirect"],
)
def test_what_is_no_port_forward_is_an_error_and_no_crash(text: bytes) -> None:
    refused(said(text), KubeError, seconds=2)


def dripping(text: bytes) -> Serve:
    """Send bytes one by one, so that no single read is late."""

    def serve(connection: socket.socket) -> None:
        connection.recv(65_536)
        with suppress(OSError):
            for at in range(len(text)):
                connection.sendall(text[at : at + 1])
                time.sleep(0.05)

    return serve


def test_a_refusal_without_an_end_is_left_in_time_and_one_without_a_limit_is_not_taken() -> None:
    assert "timed out" in refused(
        dripping(b"HTTP/1.1 403 F\r\n" + b"x: y\r\n" * 90), Unreachable, seconds=0.5
    )
    large = b"HTTP/1.1 403 F\r\nContent-Length: 9000000\r\n\r\n" + b"x" * 9_000_000
    assert "larger than" in refused(said(large), Malformed)


@pytest.mark.parametrize("proxy", ["https://u:secret@p.test:1", "socks5://u:secret@p.test:1"])
def test_a_proxy_that_is_not_understood_is_an_error_without_its_login(proxy: str) -> None:
    target = Target("east", "east", "https://e.test", Section({}, Path()), Section({}, Path()), proxy=proxy)
    with pytest.raises(Unreachable, match="its proxy has the scheme") as found:
        port_forward.get(
            CALL, target, Login(), {}, path="/p", port=1, asked="x", most=9, ends=time.monotonic() + 5
        )
    assert "secret" not in str(found.value)


def test_a_server_that_never_answers_is_left_in_time() -> None:
    assert "timed out" in refused(silent, Unreachable, seconds=0.5)
