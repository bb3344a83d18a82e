"""The journal: an intent without a result is open, whatever a crash leaves of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from mesh.errors import StateError
from mesh.model import Action, Key, Place, RecordedLocator
from mesh.sdk.contract import OPEN, REMOVED, Last
from mesh.state.journal import Journal
from mesh.state.lockfile import ClusterIdentity, Entry, State
from mesh.state.merge import newer
from mesh.state.store import Store

KEY = Key("label", "one", "istio-system")
OTHER = Key("label", "one", "istio-eastwest")


PLACE = Place("", "istio-system", RecordedLocator("network"))


IDENTITY = ClusterIdentity("u-1", "one", "one", "one.local")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    one = Store(tmp_path / "mesh.lock")
    one.prepare()
    return one


def begun(store: Store, *intents: Action) -> Journal:
    """A journal with one open intent for each action, all on `KEY`."""
    journal = Journal(store.journal_path)
    journal.begin("run", 1, "line")
    for action in intents:
        journal.intent(KEY, action, Entry(Last(PLACE, created=action is Action.CREATE)))
    return journal


@pytest.mark.parametrize(("action", "created"), [(Action.CREATE, True), (Action.UPDATE, False)])
def test_an_intent_without_a_result_is_open(store: Store, action: Action, created: bool) -> None:
    begun(store, action)
    last = store.read("demo").entries[KEY].last
    assert (last.status, last.created, last.place) == (OPEN, created, PLACE)


def test_what_is_done_is_not_open(store: Store) -> None:
    begun(store, Action.CREATE).done(KEY)
    store.write(State("demo", "line", 1, entries={KEY: Entry(Last(PLACE))}))
    assert store.read("demo").entries[KEY].last.status == "ok"


def test_what_a_killed_run_removed_is_removed_with_its_place_and_uid_until_a_run_ends(store: Store) -> None:
    journal = Journal(store.journal_path)
    journal.begin("run", 1, "line")
    journal.intent(KEY, Action.DELETE, Entry(Last(PLACE, uid="a-uid"), frozenset({OTHER})))
    journal.done(KEY)
    entry = store.read("demo").entries[KEY]
    assert entry == Entry(Last(PLACE, uid="a-uid", status=REMOVED), frozenset({OTHER}))
    store.write(store.read("demo"))  # what the next run does first; it may be killed here …
    Journal(store.journal_path).begin("run 2", 2, "line")  # … or here
    assert store.read("demo").entries[KEY].last.status == REMOVED


def test_what_a_run_removed_that_ended_is_not_recorded(store: Store) -> None:
    journal = begun(store, Action.DELETE)
    journal.done(KEY)
    journal.end()
    assert KEY not in store.read("demo").entries


def test_an_open_intent_survives_the_next_crash(store: Store) -> None:
    begun(store, Action.CREATE)
    seen = store.read("demo")
    store.write(seen)  # what the next run does first; it may be killed here …
    assert store.read("demo").entries[KEY].last.status == OPEN
    Journal(store.journal_path).begin("run 2", 2, "line")  # … or here
    assert store.read("demo").entries[KEY].last.status == OPEN


def test_a_torn_last_line_of_the_journal_is_not_there(store: Store) -> None:
    begun(store, Action.CREATE)
    text = store.journal_path.read_bytes()
    last = text.splitlines(keepends=True)[-1]
    for length in range(1, len(last)):
        store.journal_path.write_bytes(text[:-length])
        assert KEY not in store.read("demo").entries
        Journal(store.journal_path).begin("run 2", 2, "line")


def test_a_journal_damaged_in_its_middle_is_refused(store: Store) -> None:
    begun(store, Action.CREATE).done(KEY)
    text = store.journal_path.read_bytes()
    store.journal_path.write_bytes(text.replace(b"intent", b"intend", 1))
    with pytest.raises(StateError, match="journal is damaged"):
        store.read("demo")


def test_intents_without_their_lockfile_are_still_of_their_own_history(store: Store) -> None:
    begun(store, Action.CREATE)
    lost = store.read("demo")
    assert (lost.lineage, lost.serial) == ("line", 0)
    assert lost.entries[KEY].last.status == OPEN
    slice_of_before = State("demo", "line", 3, "earlier", clusters={"one": IDENTITY}, entries={})
    state = newer(lost, {"one": slice_of_before})
    assert state.serial == 3
    assert state.entries[KEY].last.status == OPEN


def test_a_lockfile_keeps_its_own_lineage_beside_a_journal_of_another(store: Store) -> None:
    store.write(State("demo", "mine", 2, "run"))
    begun(store, Action.CREATE)
    assert store.read("demo").lineage == "mine"
