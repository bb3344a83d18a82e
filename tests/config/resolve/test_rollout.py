"""The rollout has an order of existing clusters, a pause and a gate."""

from __future__ import annotations

from datetime import timedelta

import pytest

from mesh.config.resolve.overrides import Overrides
from mesh.errors import UsageError
from tests.config.decoding import mesh, mistakes


def test_one_cluster_at_a_time_is_the_default() -> None:
    found = mesh().rollout
    assert (found.clusters, found.first, found.pause, found.gate) == (1, (), timedelta(), "check")
    assert found.settle == 6


def test_the_order_is_that_of_the_file() -> None:
    found = mesh(
        "clusters: [{name: a}, {name: c}]\n"
        "rollout: {clusters: 2, first: [c, a], pause: 30m, gate: ready, settleSeconds: 60}"
    ).rollout
    assert (found.clusters, found.first, found.pause, found.gate) == (
        2,
        ("c", "a"),
        timedelta(minutes=30),
        "ready",
    )
    assert found.settle == 60


def test_the_environment_says_how_long_the_checks_must_keep_passing() -> None:
    assert Overrides.read({"MESH_SETTLE_SECONDS": "0"}).settle == 0
    assert Overrides.read({}).settle is None
    for wrong in ("-1", "2.5", "x", "99999"):
        with pytest.raises(UsageError, match="MESH_SETTLE_SECONDS"):
            Overrides.read({"MESH_SETTLE_SECONDS": wrong})


def test_an_unknown_cluster_and_a_repeated_one_are_reported() -> None:
    assert mistakes("rollout: {first: [a, x, a]}") == [
        "spec.rollout.first[1]: there is no cluster x",
        "spec.rollout.first[2]: cluster a is listed twice",
    ]
