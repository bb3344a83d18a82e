"""A cluster that was restored from a backup has again what mesh removed since then."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mesh.model import Found, Key, Live, Place, Unread
from mesh.sdk.contract import REMOVED, Last
from mesh.state.lockfile import Entry, State, slice_of
from mesh.state.restored import (
    exists_again,
    is_gone,
    restored,
    told,
    with_restored,
    without_removed,
)

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


GONE = replace(entry("a"), last=replace(entry("a").last, status=REMOVED))
KILLED = replace(STATE, entries={A: GONE, B: entry("b")})
LIVE = Live({}, "token", uid="a")


@pytest.mark.parametrize(("found", "gone"), [(None, True), (LIVE, False), (Unread("no answer"), False)])
def test_what_a_killed_run_removed_is_gone_if_its_cluster_says_so(found: Found, gone: bool) -> None:
    assert is_gone(GONE, found) == gone
    assert not is_gone(entry("a"), found)
    seen: dict[Key, Found] = {A: found, B: None}
    assert (A in without_removed(KILLED, seen, seen).entries) == (not gone)
    assert (A in without_removed(KILLED, {A: found}, {A}).entries) == (not gone)


def test_it_stays_recorded_while_no_run_has_looked_for_it() -> None:
    assert without_removed(KILLED, {}, {}).entries == KILLED.entries
    assert without_removed(KILLED, {A: None}, among=()).entries == KILLED.entries


def test_the_copy_in_a_cluster_never_names_it() -> None:
    assert slice_of(KILLED, "one").entries.keys() == {B}


def test_a_warning_names_what_exists_again() -> None:
    assert exists_again(KILLED, {A: None, B: LIVE}) == ()
    (line,) = exists_again(KILLED, {A: LIVE, B: LIVE})
    assert line.startswith("toy/one/a exists again, although the last run removed it")
    assert "cluster one was restored from a backup" in line
