"""The few requests the lab itself makes of its API servers."""

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
    """The status code (0: no connection) and the body, as JSON where it is some."""

    status: int
    body: Any = None


@dataclass(frozen=True, slots=True)
class Api:
    """One cluster's API server, spoken to as the lab's admin with both sides verified."""

    port: int
    context: ssl.SSLContext = field(repr=False)

    def ask(self, method: str, path: str, body: object = None) -> Answer:
        """One request; never raises for a server that is absent, slow or unhappy."""
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
    """The API server on `port`, with the authority and the admin's certificate of folder `pki`."""
    context = ssl.create_default_context(cafile=str(pki / "ca.crt"))
    context.load_cert_chain(pki / "admin.crt", pki / "admin.key")
    return Api(port, context)


def _parsed(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return content.decode(errors="replace")
