"""The rollout has an order of existing clusters, a pause and a gate."""

from __future__ import annotations

from datetime import timedelta

from tests.config.decoding import mesh, mistakes


def test_one_cluster_at_a_time_is_the_default() -> None:
    found = mesh().rollout
    assert (found.clusters, found.first, found.pause, found.gate) == (1, (), timedelta(), "check")


def test_the_order_is_that_of_the_file() -> None:
    found = mesh(
        "clusters: [{name: a}, {name: c}]\nrollout: {clusters: 2, first: [c, a], pause: 30m, gate: ready}"
    ).rollout
    assert (found.clusters, found.first, found.pause, found.gate) == (
        2,
        ("c", "a"),
        timedelta(minutes=30),
        "ready",
    )


def test_an_unknown_cluster_and_a_repeated_one_are_reported() -> None:
    assert mistakes("rollout: {first: [a, x, a]}") == [
        "spec.rollout.first[1]: there is no cluster x",
        "spec.rollout.first[2]: cluster a is listed twice",
    ]
