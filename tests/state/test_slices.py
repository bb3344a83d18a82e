"""Each cluster's copy of its part of the state: written, read, found behind, removed when empty."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from mesh.model import Key, Place
from mesh.sdk.contract import Last
from mesh.state import slices
from mesh.state.history import PastRun
from mesh.state.lockfile import ClusterIdentity, Entry, State, slice_of
from mesh.world import World
from mesh.world.clock import SystemClock
from mesh.world.snapshot import Snapshot
from tests.engine.toy import Kube

ENTRY = Entry(Last(Place("ns", "x")))
WHO = {name: ClusterIdentity(f"u-{name}", name, name, "td", "istio-system") for name in ("one", "two")}
STATE = State(
    "demo", "line", 3, "run", WHO, {Key("label", "one", "x"): ENTRY, Key("label", "two", "x"): ENTRY}
)
RUN = PastRun("run", 3, "apply", "ann", "host", "t0", "t1", "sha256:0", "complete")
NAMESPACES = dict.fromkeys(WHO, "istio-system")


@pytest.fixture
def kubes() -> dict[str, Kube]:
    return {name: Kube(name) for name in WHO}


def read(kubes: dict[str, Kube]) -> slices.Copies:
    world = World(kubes, {}, SystemClock(), {}, Path())
    return slices.read("demo", NAMESPACES, {name: Snapshot(name, world) for name in kubes})


def test_a_slice_is_read_as_it_was_written(kubes: dict[str, Kube]) -> None:
    slices.write(STATE, "one", kubes["one"], RUN)
    assert read(kubes) == {"one": slice_of(STATE, "one"), "two": None}
    assert slices.read_now(STATE, "one", kubes["one"]) == slice_of(STATE, "one")
    assert slices.history("demo", "one", "istio-system", kubes["one"]) == (RUN,)
    assert slices.history("demo", "two", "istio-system", kubes["two"]) == ()


def test_a_cluster_that_does_not_answer_is_left_out_and_not_taken_for_empty(kubes: dict[str, Kube]) -> None:
    kubes["two"].down = True
    assert read(kubes) == {"one": None}


def test_the_clusters_with_another_slice_are_named(kubes: dict[str, Kube]) -> None:
    slices.write(STATE, "one", kubes["one"])
    assert slices.behind(STATE, slices.readable(read(kubes))) == ("two",)
    assert slices.behind(replace(STATE, serial=4), slices.readable(read(kubes))) == ("one", "two")


def test_a_write_without_a_run_keeps_the_history(kubes: dict[str, Kube]) -> None:
    slices.write(STATE, "one", kubes["one"], RUN)
    slices.write(replace(STATE, serial=4), "one", kubes["one"])
    assert slices.history("demo", "one", "istio-system", kubes["one"]) == (RUN,)


def test_an_empty_slice_is_removed(kubes: dict[str, Kube]) -> None:
    slices.write(STATE, "one", kubes["one"], RUN)
    empty = replace(STATE, entries={})
    slices.write(empty, "one", kubes["one"])
    assert read(kubes) == {"one": None, "two": None}
    assert slices.behind(empty, slices.readable(read(kubes))) == ()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "is not valid JSON: line 1, column 2"),
        ("[" * 100_000 + "]" * 100_000, "nested more than 100 levels"),
        ('{"format": 1, "serial": "9"}', "its digest does not match"),
    ],
)
def test_a_damaged_slice_concerns_its_own_cluster_and_says_where_it_is(
    kubes: dict[str, Kube], text: str, why: str
) -> None:
    slices.write(STATE, "one", kubes["one"])
    slices.write(STATE, "two", kubes["two"])
    (config,) = kubes["one"].list(slices.CONFIG_MAP)
    config["data"][slices.DATA_KEY] = text
    copies = read(kubes)
    assert slices.readable(copies) == {"two": slice_of(STATE, "two")}
    (said,) = slices.damaged(copies).values()
    assert "the state in cluster one" in said
    assert why in said
    assert "delete that ConfigMap in istio-system" in said
