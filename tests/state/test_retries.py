"""Short requests of the state are repeated after answers that may pass, and after no others."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mesh.errors import KubeError
from mesh.state.retries import WAITS, is_passing, repeated
from mesh.world.kube.errors import Call, Conflict, Failed, Forbidden, Unreachable
from tests.engine.toy import Ticking

CALL = Call("one", "", "get", "leases")


def failing(*errors: KubeError) -> Callable[[], str]:
    left = list(errors)

    def attempt() -> str:
        if left:
            raise left.pop(0)
        return "done"

    return attempt


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_bad_answer_may_pass(status: int) -> None:
    error = Failed(CALL, "no", status=status)
    assert is_passing(error)
    assert repeated(failing(*[error] * len(WAITS)), Ticking()) == "done"
    with pytest.raises(Failed):
        repeated(failing(*[error] * (len(WAITS) + 1)), Ticking())


@pytest.mark.parametrize(
    "error",
    [Forbidden(CALL, "no"), Conflict(CALL, "no"), Unreachable(CALL, "no", untrusted=True), KubeError("no")],
)
def test_a_refusal_does_not_pass(error: KubeError) -> None:
    assert not is_passing(error)
    with pytest.raises(type(error)):
        repeated(failing(error), Ticking())


def test_no_attempt_begins_after_the_budget() -> None:
    clock = Ticking()
    calls: list[float] = []

    def hangs() -> None:
        calls.append(clock.at)
        clock.sleep(5.0)
        raise Unreachable(CALL, "no answer", sent=True)

    with pytest.raises(Unreachable):
        repeated(hangs, clock)
    assert calls == [0.0]
