"""The few requests that the lab sends to its API servers."""

from __future__ import annotations

import http.client
import json
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

#: Seconds after which a loopback server counts as not answering.
TIMEOUT = 5.0


@dataclass(frozen=True, slots=True)
class Answer:
    """The status code (0: no connection) and the body, parsed if it is JSON."""

    status: int
    body: Any = None


@dataclass(frozen=True, slots=True)
class Api:
    """A client of one API server, as the lab's admin, with mutual TLS."""

    port: int
    context: ssl.SSLContext = field(repr=False)

    def ask(self, method: str, path: str, body: object = None) -> Answer:
        """Send one request; does not raise if the server is down, slow or returns an error."""
        connection = http.client.HTTPSConnection(
            "127.0.0.1", self.port, timeout=TIMEOUT, context=self.context
        )
        try:
            text = None if body is None else json.dumps(body).encode()
            connection.request(method, path, text, {"Content-Type": "application/json"})
            response = connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException):
            return Answer(0)
        finally:
            connection.close()
        return Answer(response.status, _parsed(content))


def connect(port: int, pki: Path) -> Api:
    """Return a client for `port`, with the CA and the admin certificate of folder `pki`."""
    context = ssl.create_default_context(cafile=str(pki / "ca.crt"))
    context.load_cert_chain(pki / "admin.crt", pki / "admin.key")
    return Api(port, context)


def _parsed(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return content.decode(errors="replace")
