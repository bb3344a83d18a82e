"""The real clock."""

from __future__ import annotations

import threading

from mesh.world.clock import SystemClock


def test_the_clock_is_in_utc_and_its_sleep_ends_when_asked_to_stop() -> None:
    stop = threading.Event()
    clock = SystemClock(stop.wait)
    assert clock.now().utcoffset() is not None
    sleeper = threading.Thread(target=clock.sleep, args=(3600,), daemon=True)
    sleeper.start()
    stop.set()
    sleeper.join(100)
    assert not sleeper.is_alive()
    assert clock.monotonic() <= clock.monotonic()
