"""A cluster's answers are kept."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from mesh.errors import KubeError
from mesh.world import World
from mesh.world.clock import SystemClock
from mesh.world.resources import NAMESPACE, POD
from mesh.world.snapshot import Snapshot
from tests.engine.toy import Kube


def snapshot(kube: Kube) -> Snapshot:
    return Snapshot("one", World({"one": kube}, {}, SystemClock(), {}, Path()))  # type: ignore[dict-item]  # a toy


def test_the_same_list_is_the_same_object_and_another_selection_is_not() -> None:
    seen = snapshot(Kube("one"))
    assert seen.list(NAMESPACE) is seen.list(NAMESPACE, namespace="")
    assert seen.list(NAMESPACE) is not seen.list(NAMESPACE, metadata_only=True)
    assert seen.list(POD) is not seen.list(NAMESPACE)


def test_an_error_is_kept_and_raised_at_every_call() -> None:
    kube = Kube("one", down=True)
    seen = snapshot(kube)
    for _ in range(2):
        with pytest.raises(KubeError):
            seen.list(NAMESPACE)
        kube.down = False


def test_many_threads_that_ask_at_once_cause_one_read() -> None:
    seen, reads, together = snapshot(Kube("one")), [], Barrier(4, timeout=100)

    def ask() -> object:
        together.wait()
        return seen.remember("key", lambda: reads.append(1) or "value")

    with ThreadPoolExecutor(4) as pool:
        assert {future.result() for future in [pool.submit(ask) for _ in range(4)]} == {"value"}
    assert len(reads) == 1


def test_an_error_is_kept_without_the_answer_that_it_is_about() -> None:
    def read() -> None:
        answer = "x" * 1000
        try:
            raise ValueError(answer)
        except ValueError:
            raise KubeError("it does not fit") from None

    snapshot = Snapshot("east", World({}, {}, SystemClock(), {}, Path()))
    for _ in range(2):
        with pytest.raises(KubeError, match="it does not fit") as error:
            snapshot.remember("x", read)
        assert error.value.__context__ is None
