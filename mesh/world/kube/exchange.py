"""One exchange with an API server as values: what is sent, what comes back, how long to wait."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from mesh.errors import UsageError

TIMEOUT = "MESH_REQUEST_TIMEOUT"
FACTOR = "MESH_LIMIT_FACTOR"
LARGEST = 100_000.0


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for an API server; seconds.

    `attempts` bounds the retries of transient failures (429, 5xx, resets). `total` bounds a request that
    changes nothing, all attempts and waits included, and a LIST with all its pages; `budget` bounds the
    waits of one that writes, and `answer` the time of each of its attempts. `absent` bounds the attempts on
    a server that has never answered in this run, and `slow` those that end in a read timeout. For `remember`
    seconds after a server could not be reached, and `avoid` seconds after one did not answer in `total`,
    further requests fail without an attempt. `parallel` bounds the requests in flight per cluster: the eight
    LISTs of an observation run at the same time, and an overloaded server answers 429. `longest` bounds one
    wait, whatever Retry-After says. `most` bounds the bytes of one body, and `values` the values of all
    answers of a run.
    """

    attempts: int = 8
    total: float = 40.0
    budget: float = 300.0
    answer: float = 60.0
    absent: int = 3
    slow: int = 2
    first_connect: float = 3.0
    connect: float = 5.0
    read: float = 20.0
    remember: float = 10.0
    avoid: float = 60.0
    parallel: int = 8
    base: float = 0.25
    longest: float = 15.0
    most: int = 8 << 20
    values: int = 2_000_000

    def of(self, env: Mapping[str, str]) -> Patience:
        """Return it with the user's settings; raise UsageError for one that is not a number."""
        total, factor = _number(env, TIMEOUT, self.total), _number(env, FACTOR, 1.0)
        return replace(
            self,
            total=total,
            answer=max(self.answer, total),
            read=min(self.read, total),
            most=int(self.most * factor),
            values=int(self.values * factor),
        )

    def within(self, seconds: float) -> Patience:
        """Return it with one attempt, of so many seconds."""
        return replace(
            self,
            attempts=1,
            absent=1,
            slow=1,
            total=seconds,
            budget=seconds,
            answer=seconds,
            first_connect=min(seconds, self.first_connect),
            connect=min(seconds, self.connect),
            read=min(seconds, self.read),
        )


def _number(env: Mapping[str, str], name: str, default: float) -> float:
    text = env.get(name, "")
    try:
        found = float(text) if text else default
    except ValueError:
        found = 0.0
    if not 0.0 < found < LARGEST:
        raise UsageError(f"{name} is {text!r}, not a number above 0", hint=f"for example {name}=60")
    return found


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent, attempt after attempt: `path` has the query, `headers` no credentials."""

    method: str
    path: str
    body: bytes | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def writes(self) -> bool:
        """Whether it changes something; a dry run does not."""
        return self.method != "GET" and "dryRun=All" not in self.path


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer of a server, of any status; `date` is its Date header."""

    status: int
    body: bytes = field(repr=False)
    retry_after: float = 0.0
    date: str = ""

    @classmethod
    def of(cls, status: int, headers: Mapping[str, str], body: bytes) -> Reply:
        """Return the answer with the headers that matter."""
        return cls(status, body, _seconds(headers.get("retry-after", "")), headers.get("date", ""))


def _seconds(retry_after: str) -> float:
    """Return Retry-After in seconds; 0 for a date, which no API server sends."""
    try:
        return max(0.0, float(retry_after))
    except ValueError:
        return 0.0
