"""Where a run is recorded: lockfile, slices, journal; and a plan that another run has overtaken."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mesh.errors import KubeError, StalePlanError
from mesh.model import Key, Place
from mesh.sdk.contract import Last
from mesh.state import slices
from mesh.state.journal import Journal
from mesh.state.lockfile import ClusterIdentity, Entry, State, from_text
from mesh.state.publish import Publisher, home, is_settled
from mesh.state.store import Store
from mesh.world import World
from mesh.world.clock import SystemClock
from mesh.world.kube.errors import Call, Unreachable
from tests.engine.toy import Kube, Ticking

ENTRY = Entry(Last(Place("ns", "x")))
WHO = {name: ClusterIdentity(f"u-{name}", name, name, "td", "istio-system") for name in ("one", "two")}
STATE = State("demo", "line", 3, "run", WHO, {Key("label", "one", "x"): ENTRY})


@pytest.fixture
def publisher(tmp_path: Path) -> Publisher:
    store = Store(tmp_path / "mesh.lock")
    store.prepare()
    kubes = {name: Kube(name) for name in WHO}
    return Publisher(store, World(kubes, {}, SystemClock(), {}, tmp_path), frozenset(WHO))


def kube(publisher: Publisher, name: str) -> Kube:
    one = publisher.world.kube(name)
    assert isinstance(one, Kube)
    return one


def test_the_end_of_a_run_is_in_the_lockfile_and_the_clusters_and_closes_the_journal(
    publisher: Publisher,
) -> None:
    journal = Journal(publisher.store.journal_path)
    journal.begin("run", 3, "line")
    publisher.store.write(STATE)
    assert publisher.close(STATE, journal) == ()
    assert not publisher.store.interrupted
    written = from_text(publisher.store.path.read_text(), "mesh.lock")
    assert written.clusters == {"one": WHO["one"]}  # mesh manages nothing in the other any more
    assert slices.read_now(STATE, "one", kube(publisher, "one")) is not None
    assert slices.read_now(STATE, "two", kube(publisher, "two")) is None


def test_a_slice_that_cannot_be_written_is_a_warning(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    def apply(*_: object, **__: object) -> None:
        raise KubeError("no room")

    monkeypatch.setattr(kube(publisher, "one"), "apply", apply)
    assert publisher.share(STATE, "one") == "cluster one has no copy of this state, or an old one: no room"


@pytest.mark.parametrize(
    ("change", "stale"),
    [
        ({}, False),
        ({"serial": 2, "run": "before"}, False),
        ({"serial": 4, "run": "later"}, True),
        ({"run": "beside"}, True),
        ({"lineage": "another"}, True),
    ],
)
def test_a_plan_is_stale_once_another_run_has_written_a_slice(
    publisher: Publisher, change: dict[str, object], stale: bool
) -> None:
    slices.write(replace(STATE, **change), "one", kube(publisher, "one"))  # type: ignore[arg-type]  # fields of it
    if stale:
        with pytest.raises(StalePlanError, match="another run applied this mesh after the plan was made"):
            publisher.refuse_stale(STATE, WHO)
    else:
        publisher.refuse_stale(STATE, WHO)


@pytest.mark.parametrize("times", [1, 9])
def test_a_slice_that_the_plan_has_read_and_that_cannot_be_read_again_ends_the_run(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    left = [Unreachable(Call("one", "", "get", "configmaps"), "the connection broke")] * times
    read = kube(publisher, "one").get

    def get(*where: Any) -> Any:
        if left:
            raise left.pop()
        return read(*where)

    monkeypatch.setattr(kube(publisher, "one"), "get", get)
    with_ticks = replace(publisher, world=replace(publisher.world, clock=Ticking()))
    if times == 1:
        with_ticks.refuse_stale(STATE, WHO)
        return
    with pytest.raises(KubeError, match="the state in cluster one cannot be read again"):
        with_ticks.refuse_stale(STATE, WHO)
    left[:] = [Unreachable(Call("one", "", "get", "configmaps"), "the connection broke")] * times
    with_ticks.refuse_stale(STATE, {"two"})  # a plan that knew nothing of it either


def test_a_run_without_steps_is_settled_if_every_record_is_as_it_would_be_written(
    publisher: Publisher,
) -> None:
    slices.write(STATE, "one", kube(publisher, "one"))
    held = {"one": slices.read_now(STATE, "one", kube(publisher, "one")), "two": None}
    assert is_settled(publisher.store, STATE, STATE, held)
    assert not is_settled(publisher.store, STATE, replace(STATE, serial=2), held)
    assert not is_settled(publisher.store, STATE, STATE, {**held, "one": None})
    Journal(publisher.store.journal_path).begin("run", 4, "line")
    assert not is_settled(publisher.store, STATE, STATE, held)


def test_the_namespace_of_istiod_is_the_home_of_a_slice() -> None:
    assert home(STATE, Key("namespace", "one", "istio-system"))
    assert not home(STATE, Key("namespace", "one", "other"))
    assert not home(STATE, Key("namespace", "three", "istio-system"))
