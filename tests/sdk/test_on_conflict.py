"""A write that another writer came before is made again from what is read now."""

from __future__ import annotations

import pytest

from mesh.sdk.on_conflict import ATTEMPTS, on_conflict
from mesh.world.kube.errors import Call, Cause, Conflict

CALL = Call("cluster1", "one", "replace", "deployments.apps", "istio-system", "istiod")


class Attempts:
    """Fails with a conflict as often as told."""

    def __init__(self, failures: int, causes: tuple[Cause, ...] = ()) -> None:
        self.failures, self.causes, self.made = failures, causes, 0

    def __call__(self) -> int:
        self.made += 1
        if self.made <= self.failures:
            raise Conflict(CALL, "the object has been modified", causes=self.causes)
        return self.made


@pytest.mark.parametrize("failures", [0, 1, ATTEMPTS - 1])
def test_an_attempt_is_repeated_until_nobody_comes_between(failures: int) -> None:
    assert on_conflict(Attempts(failures)) == failures + 1


def test_after_the_last_attempt_the_conflict_is_reported() -> None:
    attempts = Attempts(ATTEMPTS)
    with pytest.raises(Conflict, match="the object has been modified"):
        on_conflict(attempts)
    assert attempts.made == ATTEMPTS


def test_fields_that_another_manager_holds_are_reported_at_once() -> None:
    attempts = Attempts(1, (Cause("kubectl", "spec.replicas", "conflict"),))
    with pytest.raises(Conflict):
        on_conflict(attempts)
    assert attempts.made == 1
