"""TLS that fails: at once for what does not fit, again for what was cut off."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from urllib3.exceptions import SSLError

from mesh.lab import pki
from mesh.world.kube.client import Patience, connect
from mesh.world.kube.errors import Unreachable
from mesh.world.kube.tls_failure import lasts
from mesh.world.resources import CONFIG_MAP

ALERT = bytes((0x15, 3, 3, 0, 2, 2))
DECODE_ERROR, INTERNAL_ERROR = ALERT + bytes((50,)), ALERT + bytes((80,))
UNKNOWN_CA, HANDSHAKE_FAILURE = ALERT + bytes((48,)), ALERT + bytes((40,))
CUT_OFF = b""
BODY = json.dumps({"items": []}).encode()
ANSWER = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), BODY)


@contextmanager
def ending(folder: Path, *ends: bytes) -> Iterator[tuple[str, list[bytes]]]:
    """Serve TLS on loopback; end the first handshakes with these bytes. Give its URL and what it sent."""
    pki.write(folder, cluster="c", service_ip="10.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.crt", folder / "server.key")
    sent: list[bytes] = []

    def serve(listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                if len(sent) < len(ends):
                    connection.recv(65536)
                    sent.append(ends[len(sent)])
                    connection.sendall(sent[-1])
                    continue
                sent.append(ANSWER)
                with context.wrap_socket(connection, server_side=True) as secured:
                    secured.recv(65536)
                    secured.sendall(ANSWER)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,), daemon=True)
        thread.start()
        yield f"https://127.0.0.1:{listener.getsockname()[1]}", sent
        listener.shutdown(socket.SHUT_RDWR)
    thread.join()


def configmaps(folder: Path, url: str) -> list[object]:
    cluster = {"server": url, "certificate-authority": str(folder / "ca.crt")}
    config = {
        "clusters": [{"name": "c", "cluster": cluster}],
        "users": [{"name": "c", "user": {}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "c"}}],
    }
    path = folder / "config"
    path.write_text(json.dumps(config))
    kubes = connect([("east", "c", str(path))], {}, patience=Patience(), sleep=lambda _: None)
    return list(kubes["east"].list(CONFIG_MAP))


@pytest.mark.parametrize("end", [DECODE_ERROR, INTERNAL_ERROR, CUT_OFF])
def test_a_handshake_that_was_cut_off_is_tried_again(tmp_path: Path, end: bytes) -> None:
    with ending(tmp_path, end) as (url, sent):
        assert configmaps(tmp_path, url) == []
    assert sent == [end, ANSWER]


@pytest.mark.parametrize("end", [UNKNOWN_CA, HANDSHAKE_FAILURE])
def test_certificates_that_do_not_fit_are_told_at_once(tmp_path: Path, end: bytes) -> None:
    with ending(tmp_path, end) as (url, sent), pytest.raises(Unreachable, match="TLS with") as raised:
        configmaps(tmp_path, url)
    assert sent == [end]
    assert raised.value.untrusted


def test_handshakes_that_are_always_cut_off_do_not_blame_the_certificates(tmp_path: Path) -> None:
    with ending(tmp_path, *[CUT_OFF] * 20) as (url, sent), pytest.raises(Unreachable) as raised:
        configmaps(tmp_path, url)
    assert not raised.value.untrusted
    assert "the connection broke" in raised.value.message
    assert 1 < len(sent) < 20


def test_an_error_of_tls_that_nobody_names_lasts() -> None:
    assert lasts(SSLError("hostname 'a' doesn't match 'b'"))
    assert not lasts(SSLError(ssl.SSLEOFError(8, "EOF occurred in violation of protocol")))
