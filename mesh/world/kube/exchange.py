"""One exchange with an API server as values: what is sent, what comes back, how long to wait."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for an API server; seconds.

    `attempts` and `budget` bound the retries of transient failures (429, 5xx, resets). `absent`
    bounds the attempts on a server that has never answered in this run, and `slow` those that end
    in a read timeout. For `remember` seconds after a server could not be reached, further requests
    fail without an attempt. `parallel` bounds the requests in flight per cluster: the eight LISTs
    of an observation run at the same time, and an overloaded server answers 429.
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
class Request:
    """What is sent, attempt after attempt: `path` has the query, `headers` no credentials."""

    method: str
    path: str
    body: bytes | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer of a server, of any status; `date` is its Date header."""

    status: int
    body: bytes = field(repr=False)
    retry_after: float = 0.0
    date: str = ""
