"""Signals: the first stops the run, the second its helm processes; time is given, never spent."""

from __future__ import annotations

import signal

import pytest

from mesh.cli.signals import PATIENCE, SIGNALS, Grace, asking, stopping
from mesh.walk import Stop
from mesh.world.helm.children import Children


class Recording(Children):
    """No processes, and the signals that they would get."""

    def __init__(self) -> None:
        super().__init__()
        self.signals: list[signal.Signals] = []

    def stop(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, ...]:
        self.signals.append(number)
        return super().stop(number)


@pytest.mark.parametrize("first", SIGNALS)
@pytest.mark.parametrize("second", SIGNALS)
def test_the_first_signal_stops_the_run_and_the_second_its_processes(
    first: signal.Signals, second: signal.Signals
) -> None:
    stop, said, hurried = Stop.new(), list[str](), list[int]()
    with stopping(stop, said.append, lambda: hurried.append(1)):
        assert not stop()
        signal.raise_signal(first)
        assert (stop(), len(said), hurried) == (True, 1, [])
        signal.raise_signal(second)
    assert (len(said), hurried) == (1, [1])
    assert said[0].startswith("interrupted: no more steps are started")


def test_handlers_are_restored_also_after_an_error() -> None:
    before = [signal.getsignal(each) for each in SIGNALS]
    with pytest.raises(ValueError, match="x"), stopping(Stop.new(), print, print):
        assert [signal.getsignal(each) for each in SIGNALS] != before
        raise ValueError("x")
    assert [signal.getsignal(each) for each in SIGNALS] == before


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_ends_a_question_at_once_and_not_the_run(number: signal.Signals) -> None:
    stop = Stop.new()
    with stopping(stop, print, print):
        handler = signal.getsignal(number)
        with pytest.raises(KeyboardInterrupt), asking():
            signal.raise_signal(number)
        assert signal.getsignal(number) is handler
    assert not stop()


def test_helm_gets_its_time_from_the_stop_and_then_each_signal_once() -> None:
    stop, children, now = Stop.new(), Recording(), 1000.0
    grace = Grace(stop, children, lambda: now)
    grace.tick()
    now = 2000.0
    stop.ask()
    sent = []
    for after in (0.0, 1.9, 2.0, 2.1, 4.4, 4.5, 60.0):
        now = 2000.0 + after
        grace.tick()
        sent.append((after, len(children.signals)))
    assert sent == [(0.0, 0), (1.9, 0), (2.0, 1), (2.1, 1), (4.4, 1), (4.5, 2), (60.0, 2)]
    assert children.signals == [number for _, number in PATIENCE] == [signal.SIGTERM, signal.SIGKILL]


def test_a_run_that_is_not_stopped_ends_no_process() -> None:
    children = Recording()
    grace = Grace(Stop.new(), children, lambda: 1e9)
    grace.tick()
    assert (children.signals, grace.asked) == ([], None)


def test_a_hangup_that_is_ignored_stays_ignored() -> None:
    """As under nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        stop = Stop.new()
        with stopping(stop, print, print):
            signal.raise_signal(signal.SIGHUP)
            assert not stop()
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
