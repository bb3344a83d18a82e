"""A cluster that was restored from a backup has again what mesh removed since then."""

from __future__ import annotations

from dataclasses import replace

from mesh.model import Key, Place
from mesh.sdk.contract import Last
from mesh.state.lockfile import Entry, State
from mesh.state.restored import restored, told, with_restored

A, B, FAR = Key("toy", "one", "a"), Key("toy", "one", "b"), Key("toy", "two", "a")


def entry(uid: str) -> Entry:
    return Entry(Last(Place("", "x"), uid=uid))


STATE = State("demo", "line", 5, "run", entries={A: entry("new")}, written={"one": 5, "two": 4})
OLD = State("demo", "line", 3, "old", entries={A: entry("old"), B: entry("b"), FAR: entry("far")})


def test_a_copy_older_than_the_one_that_was_given_is_from_a_backup() -> None:
    parts = {"one": OLD, "two": replace(OLD, serial=4), "three": OLD}
    assert set(restored(STATE, parts)) == {"one"}
    assert restored(replace(STATE, written={}), parts) == {}


def test_what_it_has_again_and_the_file_does_not_want_is_recorded_with_the_uid_of_then() -> None:
    found = with_restored(STATE, {"one": OLD}, wanted={A})
    assert {key: each.last.uid for key, each in found.entries.items()} == {A: "new", B: "b"}
    found = with_restored(STATE, {"one": OLD}, wanted=())
    assert {key: each.last.uid for key, each in found.entries.items()} == {A: "old", B: "b"}


def test_the_warning_names_the_cluster_and_both_serials() -> None:
    (line,) = told(STATE, {"one": OLD})
    assert "cluster one was restored from a backup" in line
    assert "serial 3" in line
    assert "serial 5" in line
