"""One request to one API server: its deadline, its retries and its outcome."""

from __future__ import annotations

import logging
import random
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
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

from mesh.errors import KubeError
from mesh.model.bounded_text import Unfit
from mesh.world import trace
from mesh.world.bounded_http import body_of, bounded
from mesh.world.kube import port_forward, tls_failure
from mesh.world.kube.answers import Meter
from mesh.world.kube.auth import Credentials, Login
from mesh.world.kube.error_bodies import blames_object, shown
from mesh.world.kube.errors import Call, Malformed, Unreachable
from mesh.world.kube.exchange import Patience, Reply, Request
from mesh.world.kube.kubeconfig import Section
from mesh.world.kube.pool import open_pool, reason

logging.getLogger("urllib3").setLevel(logging.WARNING)  # at DEBUG it writes every URL

Sleep = Callable[[float], None]

_BUSY = frozenset({429, 500, 502, 503, 504})
_UNTOUCHED = frozenset({429})
"""Answers that prove that the server did not carry the request out, so that even a POST is safe to repeat."""


class _Again(Exception):  # noqa: N818  # a signal between two functions, not an error
    """The attempt failed in a transient way; `most` bounds the attempts after such a failure."""

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
        self._one_large = Lock()
        self.heard = Meter(patience.values)
        self._lock = Lock()
        self._pools: dict[tuple[bytes, bytes], urllib3.PoolManager] = {}
        self._reached = False
        self._down: tuple[float, Unreachable] | None = None

    def within(self, seconds: float) -> Wire:
        """Return separate connections with the same credentials: one attempt of so many seconds."""
        hurry = self._patience.within(seconds)
        return Wire(self._credentials, hurry, self._env, self._sleep)

    @property
    def server(self) -> str:
        """The address of the API server, as in the kubeconfig."""
        return self._target.server

    def bearing(self, token: str, ca: bytes) -> Wire:
        """Return connections to the same server that use a token, and `ca` if one is given."""
        target = replace(self._target, user=Section({"token": token}, Path()), ca=ca or self._target.ca)
        return Wire(Credentials(target, self._credentials.plugins), self._patience, self._env, self._sleep)

    def ask(
        self,
        call: Call,
        method: str,
        path: str,
        *,
        body: bytes | None,
        headers: Mapping[str, str],
        ends: float | None = None,
    ) -> Reply:
        """Send until the answer is final or the retries are used up, at `ends` (of `time.monotonic`) at last.

        Raises Unreachable, Malformed or Unauthorized.
        """
        request = Request(method, path, body, headers)
        # Two bounds end the loop: each kind of failure has its number of attempts, and the whole has its
        # time. A server that always answers "later", or never stops answering, cannot hold a run for ever.
        ends = self._ends(request) if ends is None else ends
        renewed = False
        attempt = 0
        while True:
            attempt += 1
            login = self._credentials.login(call)
            self._fail_fast()
            try:
                reply = self._attempt(call, request, login, attempt, ends)
            except _Again as again:
                # The server's Retry-After is a lower bound, never shortened by the jitter.
                wait = max(again.wait, self._jitter(attempt))
                if attempt >= again.most or time.monotonic() + wait > ends:
                    late = time.monotonic() + again.wait >= ends and not request.writes
                    return self._give_up(call, again.end, late=late)
                trace.event(
                    trace.KUBE, "retry", cluster=call.cluster, path=path, of=again.most, wait_ms=wait * 1000
                )
                self._sleep(wait)
                continue
            # A 401 is repeated once, and only with other credentials than those just refused: a token
            # that expired during the run is renewed, and a wrong one cannot make the loop spin.
            if reply.status != 401 or renewed or not self._credentials.renewed(login, call):
                return reply
            renewed = True

    def get_of_port(self, call: Call, path: str, port: int, asked: str) -> bytes:
        """Return what a port of a pod answers to GET `asked`; `path` is that of the pod's `portforward`."""
        self._fail_fast()
        ends = self.within_total()
        login, most = self._credentials.login(call), self._patience.most
        with self._gate:
            return port_forward.get(
                call, self._target, login, self._env, path=path, port=port, asked=asked, most=most, ends=ends
            )

    def _ends(self, request: Request) -> float:
        return time.monotonic() + (self._patience.budget if request.writes else self._patience.total)

    def within_total(self) -> float:
        """Return when a request ends that begins now and changes nothing."""
        return time.monotonic() + self._patience.total

    def _attempt(self, call: Call, request: Request, login: Login, attempt: int, ends: float) -> Reply:
        """Send once and trace how it ended; raise `_Again` for a transient failure, Unreachable else."""
        if not trace.on(trace.KUBE):
            return self._once(call, request, login, ends)
        began = time.monotonic()
        end: Reply | KubeError | None = None
        try:
            end = self._once(call, request, login, ends)
        except _Again as again:
            end = again.end
            raise
        except KubeError as error:
            end = error
            raise
        finally:
            _traced(call, request, attempt, end, trace.milliseconds(began))
        return end

    def _once(self, call: Call, request: Request, login: Login, ends: float) -> Reply:
        patience = self._patience
        began = time.monotonic()
        try:
            reply = self._sent(call, request, login, min(ends, time.monotonic() + patience.answer))
        except Unfit as error:
            raise Malformed(call, error) from None
        except (HTTPError, OSError, ValueError) as error:
            waited = min(time.monotonic() - began, patience.answer)
            raise self._failure(call, request, error, waited) from None
        self._reached, self._down = True, None
        if _may_pass(request.method, reply):
            raise _Again(reply, patience.attempts, min(reply.retry_after, patience.longest))
        return reply

    def _sent(self, call: Call, request: Request, login: Login, ends: float) -> Reply:
        """Send over a pooled connection, without urllib3's own retries and redirects."""
        # A server that has answered once is known to exist: a slow connect is then load, not a wrong
        # address, and gets more time.
        connect = self._patience.connect if self._reached else self._patience.first_connect
        headers = urllib3.HTTPHeaderDict(request.headers)
        for name, value in login.headers:
            headers.add(name, value)
        # The gate has as many places as the pool has connections. Without it a pool of urllib3 would
        # open more connections and throw them away again, each with a TLS handshake.
        with self._gate, bounded(self._patience.most, ends):
            self._fail_fast()
            # No redirect is followed: it would carry the Authorization header to another host.
            answer = self._pool(call, login).request(
                request.method,
                self._target.server + request.path,
                body=request.body,
                headers=headers,
                timeout=urllib3.Timeout(connect=connect, read=self._patience.read),
                retries=False,
                redirect=False,
                preload_content=False,
            )
            try:
                body = body_of(answer, self._patience.most, self._one_large)
                return Reply.of(answer.status, answer.headers, body)
            except BaseException:
                answer.close()
                raise

    def _failure(self, call: Call, request: Request, error: Exception, waited: float) -> Exception:
        """Return the error to raise: not reached, not trusted, too slow (for so many seconds), or cut off."""
        patience, method = self._patience, request.method
        why = shown(reason(error))
        if isinstance(error, SSLError | ssl.SSLError) and tls_failure.lasts(error):
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
        # A TLS handshake that never ends counts as slow too, after the shorter deadline of a connection.
        seconds = f"{waited:.1f}".removesuffix(".0")
        what = f"no answer within {seconds} seconds" if slow else f"the connection broke: {why}"
        # The request may have arrived and only its answer was lost. GET changes nothing; PUT carries a
        # resourceVersion, PATCH is a server-side apply and DELETE names one object, so a second one ends
        # in the same state or in an error that says so. Only a second POST could do its work twice.
        end = Unreachable(call, f"{self._target.server}: {what}", sent=method != "GET")
        return end if method == "POST" else _Again(end, patience.slow if slow else patience.attempts)

    def _give_up(self, call: Call, end: Unreachable | Reply, *, late: bool) -> Reply:
        # Dozens of requests to one dead server must not each wait for their own timeouts. A server that
        # has answered before is taken to be down only if it used up all the time of a request: what broke
        # otherwise may be one connection only.
        busy = isinstance(end, Reply)
        if late or not (busy or self._reached):
            wait = self._patience.avoid if late else self._patience.remember
            why = f"{self._target.server}: it is too busy to answer" if busy else ""
            self._down = (time.monotonic() + wait, Unreachable(call, why) if isinstance(end, Reply) else end)
        if isinstance(end, Reply):
            return end
        raise end

    def _fail_fast(self) -> None:
        down = self._down
        if down and time.monotonic() < down[0]:
            raise Unreachable(down[1].call, down[1].message.partition(": ")[2], hint=down[1].hint)

    def _jitter(self, attempt: int) -> float:
        """Return a random wait below a bound that doubles: full jitter, so that clients spread out."""
        return random.uniform(0.0, min(self._patience.longest, self._patience.base * 2**attempt))  # noqa: S311  # no secret

    def _pool(self, call: Call, login: Login) -> urllib3.PoolManager:
        """Return the pool for these credentials."""
        # TLS authenticates the connection, not the request: after a client certificate was renewed, a
        # pooled connection would still speak for the old one. Tokens travel in headers and share a pool.
        key = (login.cert, login.key)
        with self._lock:
            if key not in self._pools:
                self._pools[key] = open_pool(call, self._target, login, self._env, self._patience.parallel)
            return self._pools[key]


def _may_pass(method: str, reply: Reply) -> bool:
    """Whether to send again: not after a POST that may have worked, nor a 500 that is about the object."""
    # API Priority and Fairness answers 429 before the request reaches a handler. A 5xx of a proxy or an
    # aggregated server says nothing of that, so a POST stops there and its caller reads what exists.
    if method == "POST":
        return reply.status in _UNTOUCHED
    return reply.status in _BUSY and not blames_object(reply.status, reply.body)


def _traced(call: Call, request: Request, attempt: int, end: Reply | KubeError | None, took: float) -> None:
    """Trace one attempt: how large the bodies are, never what they hold, and no header."""
    reply = end if isinstance(end, Reply) else None
    trace.event(
        trace.KUBE,
        "request",
        cluster=call.cluster,
        method=request.method,
        path=request.path,
        status=reply.status if reply else None,
        error=end.message if isinstance(end, KubeError) else None,
        ms=took,
        sent=len(request.body) if request.body else None,
        bytes=len(reply.body) if reply else None,
        attempt=attempt,
    )
