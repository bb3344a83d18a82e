"""A JSON client of one API server with persistent connections."""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Iterator
from contextlib import closing
from typing import Any, Final
from urllib.parse import urlencode

from mesh.lab.standin.access import Access

#: A Kubernetes object, or part of one, as plain data.
Json = dict[str, Any]

#: Seconds until a silent server counts as unreachable.
TIMEOUT: Final = 10.0
#: Seconds after which the server ends a watch, so that every copy is listed again regularly.
WATCH: Final = 290

UNREACHABLE: Final = (OSError, http.client.HTTPException, ssl.SSLError)


class ApiError(Exception):
    """The server returned an error; `status` is its HTTP status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status


class Api:
    """One thread's client of one API server. The next request reopens a broken connection."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._connection: http.client.HTTPSConnection | None = None

    def get(self, path: str, **query: str) -> Json:
        """Return the object or list at `path`."""
        return self._ask("GET", path, query, None, "application/json")

    def apply(self, path: str, body: Json, *, manager: str) -> None:
        """Server-side apply `body` at `path` as `manager`, with force."""
        query = {"fieldManager": manager, "force": "true"}
        self._ask("PATCH", path, query, body, "application/apply-patch+yaml")

    def merge(self, path: str, body: Json, *, manager: str) -> None:
        """Merge-patch the object at `path` with `body` as `manager`."""
        kind = "application/merge-patch+json"
        self._ask("PATCH", path, {"fieldManager": manager}, body, kind)

    def delete(self, path: str, *, uid: str) -> None:
        """Delete the object at `path` if it has `uid`."""
        self._ask("DELETE", path, {}, {"preconditions": {"uid": uid}}, "application/json")

    def watch(self, path: str, query: dict[str, str], version: str) -> Iterator[Json]:
        """Yield changes at `path` after `version` until the server ends the watch, on a new connection."""
        asked = {**query, "watch": "1", "resourceVersion": version, "timeoutSeconds": str(WATCH)}
        with closing(self._open(timeout=WATCH + TIMEOUT)) as connection:
            connection.request("GET", f"{path}?{urlencode(asked)}", headers=self._headers())
            response = connection.getresponse()
            if response.status != http.HTTPStatus.OK:
                raise ApiError(response.status, response.read().decode(errors="replace"))
            for line in response:
                yield json.loads(line)

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _ask(self, method: str, path: str, query: dict[str, str], body: Json | None, kind: str) -> Json:
        target = f"{path}?{urlencode(query)}" if query else path
        content = None if body is None else json.dumps(body).encode()
        headers = {**self._headers(), "Content-Type": kind}
        try:
            status, answer = self._exchange(method, target, content, headers)
        except UNREACHABLE:
            # The server may have closed a kept connection. Every request here can be repeated.
            self.close()
            status, answer = self._exchange(method, target, content, headers)
        document: Json = json.loads(answer) if answer[:1] == b"{" else {}
        if status >= http.HTTPStatus.BAD_REQUEST:
            raise ApiError(status, str(document.get("message", answer[:200])))
        return document

    def _exchange(
        self, method: str, target: str, content: bytes | None, headers: dict[str, str]
    ) -> tuple[int, bytes]:
        if self._connection is None:
            self._connection = self._open(timeout=TIMEOUT)
        try:
            self._connection.request(method, target, content, headers)
            response = self._connection.getresponse()
            return response.status, response.read()
        except UNREACHABLE:
            self.close()
            raise

    def _open(self, *, timeout: float) -> http.client.HTTPSConnection:
        access = self._access
        return http.client.HTTPSConnection(access.host, access.port, timeout=timeout, context=access.tls)

    def _headers(self) -> dict[str, str]:
        token = {"Authorization": f"Bearer {self._access.token}"} if self._access.token else {}
        return {"Accept": "application/json", "User-Agent": "pilot-discovery", **token}
