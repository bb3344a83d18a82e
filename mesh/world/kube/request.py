"""One request to one API server: its deadline, its retries, and what became of it."""

from __future__ import annotations

import logging
import random
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import BoundedSemaphore, Lock

import urllib3
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NewConnectionError,
    ProxyError,
    ReadTimeoutError,
    SSLError,
)

from mesh.world.kube.auth import Credentials, Login
from mesh.world.kube.error_bodies import blames_object, shown
from mesh.world.kube.errors import Call, Unreachable
from mesh.world.kube.kubeconfig import Section
from mesh.world.kube.pool import open_pool, reason

logging.getLogger("urllib3").setLevel(logging.WARNING)  # at DEBUG it writes every URL

Sleep = Callable[[float], None]

_BUSY = frozenset({429, 500, 502, 503, 504})
_UNTOUCHED = frozenset({429})
"""Answers that prove that a request has not been carried out, so that even a POST may go again."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for an API server; seconds.

    `attempts` and `budget` bound the retries of what may pass by itself (429, 5xx, resets).
    `absent` bounds the attempts on a server that has never answered in this run, and `slow` those
    that end in a read timeout. `remember` is how long a server that could not be reached is taken
    to be down without another attempt. `parallel` bounds the requests in flight per cluster: the
    eight LISTs of an observation go out together, and a server that minds answers 429.
    """

    attempts: int = 8
    budget: float = 300.0
    absent: int = 3
    slow: int = 2
    first_connect: float = 3.0
    connect: float = 5.0
    read: float = 30.0
    remember: float = 10.0
    parallel: int = 8
    base: float = 0.25
    longest: float = 60.0


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer of a server, whatever its status; `date` is when it gave it, as it says itself."""

    status: int
    body: bytes = field(repr=False)
    retry_after: float = 0.0
    date: str = ""


class _Again(Exception):  # noqa: N818  # a signal between two functions, not an error
    """The attempt failed in a way that may pass; `most` bounds the attempts of this kind."""

    def __init__(self, end: Unreachable | Reply, most: int, wait: float = 0.0) -> None:
        super().__init__()
        self.end = end
        self.most = most
        self.wait = wait


class Wire:
    """The connections to one API server; safe to use from several threads."""

    def __init__(
        self, credentials: Credentials, patience: Patience, env: Mapping[str, str], sleep: Sleep
    ) -> None:
        self._credentials = credentials
        self._target = credentials.target
        self._patience = patience
        self._env = env
        self._sleep = sleep
        self._gate = BoundedSemaphore(patience.parallel)
        self._lock = Lock()
        self._pools: dict[tuple[bytes, bytes], urllib3.PoolManager] = {}
        self._reached = False
        self._down: tuple[float, Unreachable] | None = None

    def within(self, seconds: float) -> Wire:
        """Connections of their own with the same credentials; one attempt of so many seconds."""
        hurry = replace(
            self._patience,
            attempts=1,
            absent=1,
            slow=1,
            budget=seconds,
            first_connect=min(seconds, self._patience.first_connect),
            connect=min(seconds, self._patience.connect),
            read=min(seconds, self._patience.read),
        )
        return Wire(self._credentials, hurry, self._env, self._sleep)

    @property
    def server(self) -> str:
        """The address of the API server, as the kubeconfig has it."""
        return self._target.server

    def bearing(self, token: str, ca: bytes) -> Wire:
        """The same server as the holder of a token, and of another CA if one is given."""
        target = replace(self._target, user=Section({"token": token}, Path()), ca=ca or self._target.ca)
        return Wire(Credentials(target, self._credentials.plugins), self._patience, self._env, self._sleep)

    def ask(
        self, call: Call, method: str, path: str, *, body: bytes | None, headers: Mapping[str, str]
    ) -> Reply:
        """Send until there is an answer that retrying would not better; raise Unreachable or Unauthorized."""
        ends = time.monotonic() + self._patience.budget
        renewed = False
        attempt = 0
        while True:
            attempt += 1
            login = self._credentials.login(call)
            try:
                reply = self._once(call, method, path, body, headers, login)
            except _Again as again:
                wait = max(again.wait, self._jitter(attempt))
                if attempt >= again.most or time.monotonic() + wait > ends:
                    return self._give_up(again.end)
                self._sleep(wait)
                continue
            if reply.status != 401 or renewed or not self._credentials.renewed(login, call):
                return reply
            renewed = True

    def _once(
        self,
        call: Call,
        method: str,
        path: str,
        body: bytes | None,
        headers: Mapping[str, str],
        login: Login,
    ) -> Reply:
        """Send once; raise `_Again` for what may pass, Unreachable for what will not."""
        self._fail_fast()
        patience = self._patience
        connect = patience.connect if self._reached else patience.first_connect
        timeout = urllib3.Timeout(connect=connect, read=patience.read)
        sent = urllib3.HTTPHeaderDict(headers)
        for name, value in login.headers:
            sent.add(name, value)
        try:
            with self._gate:
                answer = self._pool(call, login).request(
                    method,
                    self._target.server + path,
                    body=body,
                    headers=sent,
                    timeout=timeout,
                    retries=False,
                    redirect=False,
                )
        except (HTTPError, OSError, ValueError) as error:
            raise self._failure(call, method, error) from None
        self._reached, self._down = True, None
        after = _seconds(answer.headers.get("retry-after", ""))
        reply = Reply(answer.status, answer.data, after, answer.headers.get("date", ""))
        if _may_pass(method, reply):
            raise _Again(reply, patience.attempts, min(reply.retry_after, patience.longest))
        return reply

    def _failure(self, call: Call, method: str, error: Exception) -> Exception:
        """Tell apart: never got there, would not be trusted, too slow, cut off."""
        patience = self._patience
        why = shown(reason(error))
        if isinstance(error, SSLError | ssl.SSLError):
            return Unreachable(
                call,
                f"TLS with {self._target.server} failed: {why}",
                hint="the certificate-authority, tls-server-name or client certificate of the context do not"
                " fit this server",
                untrusted=True,
            )
        if isinstance(error, NewConnectionError | ConnectTimeoutError | ProxyError):
            most = patience.attempts if self._reached else patience.absent
            return _Again(Unreachable(call, f"{self._target.server} cannot be reached: {why}"), most)
        if isinstance(error, ValueError) and not isinstance(error, HTTPError):  # its text may hold a header
            return Unreachable(call, f"{self._target.server}: the request cannot be written (bad token?)")
        slow = isinstance(error, ReadTimeoutError | TimeoutError)
        what = f"no answer within {patience.read:g} seconds" if slow else f"the connection broke: {why}"
        end = Unreachable(call, f"{self._target.server}: {what}", sent=method != "GET")
        return end if method == "POST" else _Again(end, patience.slow if slow else patience.attempts)

    def _give_up(self, end: Unreachable | Reply) -> Reply:
        if isinstance(end, Reply):
            return end
        if not self._reached:
            self._down = (time.monotonic() + self._patience.remember, end)
        raise end

    def _fail_fast(self) -> None:
        down = self._down
        if down and time.monotonic() < down[0]:
            raise Unreachable(down[1].call, down[1].message.partition(": ")[2], hint=down[1].hint)

    def _jitter(self, attempt: int) -> float:
        """Full jitter: anything up to the doubled step, so that many clients do not come back as one."""
        return random.uniform(0.0, min(self._patience.longest, self._patience.base * 2**attempt))  # noqa: S311  # no secret

    def _pool(self, call: Call, login: Login) -> urllib3.PoolManager:
        """The pool for these credentials: a client certificate is part of the connection."""
        key = (login.cert, login.key)
        with self._lock:
            if key not in self._pools:
                self._pools[key] = open_pool(call, self._target, login, self._env, self._patience.parallel)
            return self._pools[key]


def _may_pass(method: str, reply: Reply) -> bool:
    """Whether to ask again: not after a POST that may have worked, nor a 500 that is about the object."""
    if method == "POST":
        return reply.status in _UNTOUCHED
    return reply.status in _BUSY and not blames_object(reply.status, reply.body)


def _seconds(retry_after: str) -> float:
    """Retry-After in seconds; a date, which no API server sends, counts as nothing."""
    try:
        return max(0.0, float(retry_after))
    except ValueError:
        return 0.0
