"""Answers end: in bytes, in seconds, and one large one at a time."""

from __future__ import annotations

import threading
import time

import pytest
import urllib3

from mesh.model.bounded_text import Unfit
from mesh.world.bounded_http import LARGE, LateError, body_of, bounded, with_bounds
from tests.support.hostile import hostile
from tests.support.stumbling import Stumbling, answer, serving


def ask(url: str, most: int, seconds: float, lock: threading.Lock | None = None) -> bytes:
    with with_bounds(urllib3.PoolManager()) as pools, bounded(most, time.monotonic() + seconds):
        found = pools.request("GET", url, preload_content=False, retries=False)
        return body_of(found, most, lock or threading.Lock())


def test_a_body_within_its_bounds_is_returned() -> None:
    with serving() as server:
        server.answers = [answer(200, b"x" * 1000)]
        assert ask(server.url, 1000, 5) == b"x" * 1000
        with pytest.raises(Unfit, match="larger than 999 bytes"):
            ask(server.url, 999, 5)


def test_one_large_body_at_a_time_is_received() -> None:
    with serving() as server:
        server.answers = [answer(200, b"x" * (LARGE + 1))]
        held = threading.Lock()
        assert len(ask(server.url, 1 << 24, 5, held)) == LARGE + 1
        with held, pytest.raises(LateError):
            ask(server.url, 1 << 24, 0.2, held)
        assert not held.locked()


@pytest.mark.parametrize("kind", ["a header byte by byte", "interim answers without an end"])
def test_an_answer_that_does_not_begin_ends_all_the_same(kind: str) -> None:
    with hostile(kind) as url, pytest.raises((urllib3.exceptions.HTTPError, Unfit)):
        ask(url, 1000, 0.5)


def test_a_connection_is_used_again() -> None:
    with serving() as server, with_bounds(urllib3.PoolManager()) as pools:
        for _ in range(3):
            with bounded(1000, time.monotonic() + 5):
                found = pools.request("GET", server.url, preload_content=False, retries=False)
                assert body_of(found, 1000, threading.Lock())
        assert sum(pool.num_connections for pool in pools_of(pools)) == 1


def pools_of(pools: urllib3.PoolManager) -> list[urllib3.HTTPConnectionPool]:
    return [pools.pools[key] for key in pools.pools.keys()]  # noqa: SIM118  # no mapping of its own


def test_an_encoding_that_was_not_asked_for_is_an_error(server: Stumbling | None = None) -> None:
    del server
    with hostile("an encoding that was not asked for") as url, pytest.raises(Unfit, match="encoding"):
        ask(url, 1000, 5)
