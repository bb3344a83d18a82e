"""Visiting a graph in dependency order on threads."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import chain

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesh.walk import Stop, fan, once, walk

Graph = Mapping[int, frozenset[int]]


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    size = draw(st.integers(0, 9))
    return {
        n: frozenset(draw(st.sets(st.integers(0, n - 1), max_size=3)) if n else set()) for n in range(size)
    }


@dataclass
class Notes:
    """A visitor that notes everything, and fails at some keys."""

    failing: frozenset[int] = frozenset()
    work_at: Callable[[int], None] = lambda _key: None
    begun: list[int] = field(default_factory=list)
    ended: list[int] = field(default_factory=list)
    because: dict[int, int] = field(default_factory=dict)
    threads: set[int] = field(default_factory=set)
    now: int = 0
    most: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def before(self, key: int) -> None:
        self.threads.add(threading.get_ident())
        self.begun.append(key)

    def work(self, key: int) -> int:
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        self.work_at(key)
        with self.lock:
            self.now -= 1
        return key * 10

    def after(self, key: int, result: int) -> bool:
        self.threads.add(threading.get_ident())
        assert result == key * 10
        self.ended.append(key)
        return key not in self.failing

    def skipped(self, key: int, because: int) -> None:
        self.because[key] = because

    def tick(self) -> None:
        self.threads.add(threading.get_ident())


def doomed(graph: Graph, failing: frozenset[int]) -> set[int]:
    """What needs a failed key, at one remove or more."""
    found: set[int] = set()
    for key, needs in graph.items():
        if needs & (failing | found):
            found.add(key)
    return found


@settings(deadline=None)
@given(graphs(), st.integers(1, 5))
def test_each_key_is_visited_once_after_all_that_it_needs(graph: Graph, workers: int) -> None:
    notes = Notes()
    assert walk(graph, notes, workers=workers, stopping=lambda: False) == frozenset()
    assert sorted(notes.ended) == sorted(graph)
    for key, needs in graph.items():
        assert all(notes.ended.index(need) < notes.ended.index(key) for need in needs)
    assert notes.most <= workers
    assert notes.threads <= {threading.get_ident()}


@settings(deadline=None)
@given(graphs(), st.sets(st.integers(0, 9)), st.sampled_from([1, 4]))
def test_a_failure_skips_its_dependents_and_no_other(graph: Graph, failing: set[int], workers: int) -> None:
    bad = frozenset(failing) & frozenset(graph)
    notes = Notes(bad)
    walk(graph, notes, workers=workers, stopping=lambda: False)
    assert set(notes.because) == doomed(graph, bad)
    assert set(notes.ended) == set(graph) - doomed(graph, bad)
    assert set(notes.because.values()) <= bad


@given(graphs())
def test_one_worker_starts_in_the_same_order_every_time(graph: Graph) -> None:
    orders = []
    for _ in range(2):
        notes = Notes()
        walk(graph, notes, workers=1, stopping=lambda: False)
        orders.append(notes.begun)
    assert orders[0] == orders[1]


def test_what_does_not_depend_on_each_other_is_done_at_once() -> None:
    meeting = threading.Barrier(3, timeout=100)
    notes = Notes(work_at=lambda _key: meeting.wait() and None)
    walk({1: frozenset(), 2: frozenset(), 3: frozenset()}, notes, workers=3, stopping=lambda: False)
    assert notes.most == 3


def test_a_stopped_walk_finishes_what_is_in_flight_and_starts_nothing_more() -> None:
    stop = Stop.new()
    notes = Notes(work_at=lambda _key: stop.ask())
    left = walk({1: frozenset(), 2: frozenset({1}), 3: frozenset({2})}, notes, workers=1, stopping=stop)
    assert (notes.ended, left) == ([1], {2, 3})


def test_needs_that_are_no_keys_are_met_already() -> None:
    notes = Notes()
    walk({1: frozenset({99})}, notes, workers=1, stopping=lambda: False)
    assert notes.ended == [1]


def test_what_a_visitor_raises_before_a_key_ends_the_walk() -> None:
    class Broken(Notes):
        def before(self, key: int) -> None:
            raise OSError("the disk is full")

    with pytest.raises(OSError, match="disk is full"):
        walk({1: frozenset()}, Broken(), workers=1, stopping=lambda: False)


@given(st.lists(st.integers(), unique=True), st.integers(1, 4))
def test_fan_gives_a_result_for_each_item_in_their_order(items: list[int], workers: int) -> None:
    results = fan(lambda item: item * 2, items, workers)
    assert list(chain(results.items())) == [(item, item * 2) for item in items]


def test_fan_raises_what_the_work_raises() -> None:
    with pytest.raises(ZeroDivisionError):
        fan(lambda item: 1 // item, [1, 0, 2], 2)


def test_a_stop_wakes_who_waits() -> None:
    stop = Stop.new()
    assert (stop(), stop.wait(0.001)) == (False, False)
    stop.ask()
    assert (stop(), stop.wait(60)) == (True, True)


def test_once_ticks_in_the_callers_thread_while_the_work_is_under_way() -> None:
    ticked, threads = threading.Event(), set[int]()

    def tick() -> None:
        threads.add(threading.get_ident())
        ticked.set()

    assert once(lambda: ticked.wait(100), tick)
    assert threads == {threading.get_ident()}


def test_once_raises_what_the_work_raises() -> None:
    with pytest.raises(ZeroDivisionError):
        once(lambda: 1 // 0, lambda: None)
