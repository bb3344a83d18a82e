"""Requests to a forge: bounded in time and size, repeated where that is safe, with clear errors.

A token goes into one header and nowhere else: not into a URL, a message or the trace.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from mesh.errors import MeshError
from mesh.model.bounded_text import ANSWER, Unfit, loads
from mesh.world import trace

Json = dict[str, Any]

LIMIT = 32 * 1024 * 1024
"""Bytes of one answer: a page of a hundred of the longest comments."""

SECONDS = 30.0
ATTEMPTS = 4
LONGEST_WAIT = 60.0
"""Seconds; a forge that asks for more is not waited for."""

PAGES = 100
AGAIN = frozenset({429, 502, 503, 504})


class ForgeError(MeshError):
    """A forge could not be reached, or refused a request; `status` is that of its answer, 0 for none."""

    def __init__(self, message: str, *, hint: str = "", status: int = 0) -> None:
        super().__init__(message, hint=hint)
        self.status = status


@dataclass(frozen=True, slots=True)
class Answer:
    """The status, headers and content of an answer."""

    status: int
    headers: Mapping[str, str]
    data: Any


@dataclass(frozen=True, slots=True)
class Http:
    """Sends requests to one forge. `rights` says for a path what a token needs to be allowed it."""

    api: str
    headers: Mapping[str, str]
    rights: Mapping[str, str] = field(default_factory=dict)
    sleep: Callable[[float], object] = time.sleep

    def get(self, path: str) -> Any:
        """Return the JSON data at a path."""
        return self.send("GET", path).data

    def send(self, method: str, path: str, body: Json | None = None) -> Answer:
        """Send a request; raise ForgeError for any answer but success."""
        answer = self._repeated(method, path, body)
        if 200 <= answer.status < 300:
            return answer
        raise self._refused(method, path, answer)

    def pages(self, path: str, following: Callable[[Answer], object]) -> Iterator[Any]:
        """Yield the data of each page; `following` returns the URL of the next, no text after the last."""
        for _ in range(PAGES):
            answer = self.send("GET", path)
            yield answer.data
            url = following(answer)
            if not isinstance(url, str) or not url:
                return
            path = self.below(url)
        raise ForgeError(f"{self._host()} has more than {PAGES} pages of comments")

    def below(self, url: str) -> str:
        """Return the path of a URL that the forge gave; raise ForgeError if it leads to another server."""
        # The token goes with every request, so an address in an answer must not choose who gets it.
        if not url.startswith(f"{self.api}/"):
            raise ForgeError(f"{self._host()} names a next page on another server")
        return url.removeprefix(self.api)

    def _repeated(self, method: str, path: str, body: Json | None) -> Answer:
        """Send a request, again if the forge asks for it or it is certain that nothing was done."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                answer = self._once(method, path, body)
            except ForgeError:
                # A POST without an answer may have been carried out; a second comment is worse than an error.
                if method == "POST" or attempt == ATTEMPTS:
                    raise
                self.sleep(float(attempt))
                continue
            limited = answer.status == 403 and answer.headers.get("x-ratelimit-remaining") == "0"
            again = limited or answer.status == 429 or (answer.status in AGAIN and method != "POST")
            wait = _wait(answer, attempt)
            if not again or attempt == ATTEMPTS or wait > LONGEST_WAIT:
                return answer
            self.sleep(wait)
        raise AssertionError

    def _once(self, method: str, path: str, body: Json | None) -> Answer:
        import urllib3

        began = time.monotonic()
        content = None if body is None else json.dumps(body).encode()
        headers = {**self.headers, **({"Content-Type": "application/json"} if content else {})}
        with urllib3.PoolManager(retries=False, timeout=SECONDS) as pool:
            try:
                answer = pool.request(
                    method,
                    self.api + path,
                    body=content,
                    headers=headers,
                    preload_content=False,
                    redirect=False,
                )
                data = answer.read(LIMIT + 1)
            except urllib3.exceptions.HTTPError as error:
                raise ForgeError(
                    f"{self._host()} does not answer: {type(error).__name__}",
                    hint="check the network of the runner, and --api",
                ) from None
        trace.event(
            trace.EXEC,
            "forge",
            method=method,
            path=path.partition("?")[0],
            status=answer.status,
            ms=trace.milliseconds(began),
            bytes=len(data),
        )
        if len(data) > LIMIT:
            raise ForgeError(f"{self._host()} answers with more than {LIMIT >> 20} MiB")
        return Answer(
            answer.status, {name.lower(): text for name, text in answer.headers.items()}, _parsed(data)
        )

    def _refused(self, method: str, path: str, answer: Answer) -> ForgeError:
        where = f"{method} {path.partition('?')[0]}"
        said = _said(answer.data)
        message = f"{self._host()} refuses {where}: {answer.status}{': ' if said else ''}{said}"
        needed = next((right for part, right in self.rights.items() if part in path), "")
        hints = {
            401: "the token is missing, wrong or expired",
            403: f"the token needs {needed}" if needed else "the token lacks a right",
            404: "check --repo and --pr"
            + (f"; some forges answer 404 if the token lacks {needed}" if needed else ""),
        }
        return ForgeError(message, hint=hints.get(answer.status, ""), status=answer.status)

    def _host(self) -> str:
        return urlsplit(self.api).hostname or "the forge"


def _parsed(data: bytes) -> Any:
    try:
        return loads(data, ANSWER) if data else None
    except Unfit:
        return None


def _said(data: Any) -> str:
    """Return the message in the answer of a refused request, one line, at most 200 characters."""
    if not isinstance(data, dict):
        return ""
    error = data.get("error")
    text = data.get("message") or (error.get("message") if isinstance(error, dict) else error) or ""
    return " ".join(str(text).split())[:200]


def _wait(answer: Answer, attempt: int) -> float:
    """Return the seconds before the next attempt: what the forge asks for, or twice as many each time."""
    try:
        return max(0.0, float(answer.headers["retry-after"]))
    except (KeyError, ValueError):
        return float(2 ** (attempt - 1))


def next_link(answer: Answer) -> str:
    """Return the URL with the relation `next` of a Link header, "" if there is none."""
    for part in answer.headers.get("link", "").split(","):
        url, _, rest = part.partition(";")
        if 'rel="next"' in rest:
            return url.strip().strip("<>")
    return ""


def rows(data: Any) -> list[Json]:
    """Return the objects of a list; anything else that a server sends counts as nothing."""
    return [each for each in data if isinstance(each, dict)] if isinstance(data, list) else []


def inner(data: Any, *path: str) -> Any:
    """Return the value at a path of an answer, None if it is missing."""
    for part in path:
        data = data.get(part) if isinstance(data, dict) else None
    return data
