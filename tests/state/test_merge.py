"""A state joined with the clusters' copies: the newest wins, a fork is refused, nothing begun is lost."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mesh.errors import RefusedError
from mesh.model import Key
from mesh.sdk.contract import OPEN, REMOVED
from mesh.state.lockfile import State, slice_of
from mesh.state.merge import newer
from tests.state.test_lockfile import LOCK, ROOT, entry, identity, label


def test_the_slices_together_are_the_lock() -> None:
    parts = {name: slice_of(LOCK, name) for name in LOCK.clusters}
    assert newer(State("demo", "fresh"), parts) == LOCK


def test_every_slice_that_is_newer_is_taken_not_only_the_first() -> None:
    later = replace(
        LOCK,
        serial=5,
        run="run-5",
        entries={
            key: replace(each, last=replace(each.last, uid="new")) for key, each in LOCK.entries.items()
        },
    )
    assert newer(LOCK, {name: slice_of(later, name) for name in LOCK.clusters}) == later


def test_an_older_slice_changes_nothing() -> None:
    older = replace(LOCK, serial=2, run="run-2", entries={})
    assert newer(LOCK, {"one": slice_of(older, "one")}) == LOCK


def test_what_the_newest_slice_no_longer_shares_is_gone() -> None:
    later = replace(LOCK, serial=4, run="run-4", entries={label("one"): entry()})
    merged = newer(LOCK, {"one": slice_of(later, "one")})
    assert merged.entries.keys() == {label("one"), label("two")}


def test_a_cluster_under_a_new_name_is_not_two_clusters() -> None:
    later = replace(
        LOCK,
        serial=4,
        run="run-4",
        clusters={"uno": identity("u1")},
        entries={ROOT: entry(), label("uno"): entry()},
    )
    merged = newer(LOCK, {"uno": slice_of(later, "uno")})
    assert merged.clusters.keys() == {"uno", "two"}
    assert merged.entries.keys() == {ROOT, label("uno"), label("two")}


@pytest.mark.parametrize(
    ("other", "says"),
    [
        (replace(LOCK, run="run-x"), "two runs wrote serial 3"),
        (replace(LOCK, serial=9, lineage="other"), "the state of another lineage"),
    ],
)
def test_a_fork_is_refused(other: State, says: str) -> None:
    with pytest.raises(RefusedError, match=says):
        newer(LOCK, {"one": slice_of(other, "one")})


@pytest.mark.parametrize("status", [OPEN, REMOVED])
def test_what_a_killed_run_left_unfinished_stays_until_a_slice_names_it(status: str) -> None:
    begun = replace(entry(), last=replace(entry().last, status=status))
    key = Key("chart", "one", "istiod")
    before = replace(LOCK, serial=0, entries={key: begun})
    slice_of_before = slice_of(LOCK, "one")
    assert newer(before, {"one": slice_of_before}).entries[key] == begun
    known = replace(slice_of_before, entries={**slice_of_before.entries, key: entry()})
    assert newer(before, {"one": known}).entries[key] == entry()


def test_what_was_unfinished_under_the_old_name_of_a_cluster_is_not_kept_under_it() -> None:
    begun = replace(entry(), last=replace(entry().last, status=OPEN))
    before = replace(LOCK, entries={**LOCK.entries, Key("chart", "one", "istiod"): begun})
    later = replace(
        LOCK,
        serial=LOCK.serial + 1,
        run="later",
        clusters={"uno": identity("u1")},
        entries={ROOT: entry(), label("uno"): entry()},
    )
    merged = newer(before, {"uno": slice_of(later, "uno")})
    assert merged.entries.keys() == {ROOT, label("uno"), label("two")}
