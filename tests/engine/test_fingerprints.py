"""Which clusters have hidden values, and the keys of their fingerprints."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mesh.engine.fingerprints import key_of, keys_for, unstored
from mesh.errors import KubeError
from mesh.model import Action, Field, Key, Live, Sensitive, Step
from mesh.world import World
from mesh.world.clock import SystemClock
from mesh.world.fingerprint_keys import FingerprintKeys, name_of
from mesh.world.snapshot import Snapshot
from tests.support.check_server import Server

SPACE = {"metadata": {"name": "kube-system", "uid": "uid"}}
STORED = FingerprintKeys("demo", {"a": "x"}).secret("a", b"k" * 32, {})


def snapshots(*secrets: dict[str, Any], fails: bool = False) -> dict[str, Snapshot]:
    server: Any = Server(
        {"namespaces": [SPACE], "secrets": list(secrets)}, fails={"secrets": KubeError("no")} if fails else {}
    )
    keys = FingerprintKeys("demo", {"a": "x"}, lambda: b"own")
    return {"a": Snapshot("a", World({"a": server}, {}, SystemClock(), {}, Path(), keys=keys))}


def step(value: object, cluster: str = "a") -> Step:
    return Step(Action.UPDATE, Key("chart", cluster, "cni"), fields=(Field(("x",), None, value),))


def test_only_clusters_in_which_a_hidden_value_changes_need_a_key() -> None:
    assert keys_for([step("plain")], snapshots()) == {}
    assert keys_for([step({"a": [Sensitive("x")]}), step(Sensitive("x"), "gone")], snapshots()).keys() == {
        "a"
    }


def test_a_key_is_stored_where_values_are_hidden_and_none_is_stored() -> None:
    live = {Key("secret", "a", "x"): Live({"data": Sensitive("x")}, "")}
    assert unstored([], live, snapshots()) == {"a": key_of(snapshots()["a"])}
    assert unstored([step(Sensitive("x"))], {}, snapshots()) == {"a": key_of(snapshots()["a"])}
    assert unstored([], live, snapshots(STORED)) == {}
    assert unstored([], live, snapshots(fails=True)) == {}
    assert unstored([step("plain")], {Key("secret", "a", "x"): None}, snapshots()) == {}


def test_the_stored_key_is_the_one_that_counts() -> None:
    assert key_of(snapshots(STORED)["a"]) == b"k" * 32
    assert name_of("demo") == STORED["metadata"]["name"]
