"""SIGKILL at exact points of an apply: the next one converges, and makes nothing twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.crash.conftest import ONCE, Place

SLOW_HELM = Path(__file__).with_name("slow_helm.sh")


@pytest.mark.parametrize(
    ("point", "address"),
    [
        ("intent", "chart/*/istiod"),
        ("record", "cert/*/cacerts"),
        ("rename", "chart/*/base"),
    ],
)
def test_a_killed_apply_is_resumed_by_the_next(place: Place, point: str, address: str) -> None:
    place.killed(point, address, "--parallelism", "1")
    made = place.uids()

    place.resumed()

    now = place.uids()
    assert {name: now.get(name) for name in made} == made
    assert place.revisions() == ONCE
    place.rebuilt()
