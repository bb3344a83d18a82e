"""What is known of one resource, from values alone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from mesh.cli.views.explain import why_json, why_text
from mesh.model import Found, Key, Live, Place, Touch, Unread
from mesh.model.diff import fingerprints
from mesh.model.graph import edges, ordered
from mesh.planner.decide import decide
from mesh.planner.inputs import Inputs
from mesh.planner.prune import prune
from mesh.queries.explain import Why, why
from mesh.sdk.contract import Last
from mesh.state.lockfile import Entry, State
from tests.engine.toy import ToyProvider, key, toy

KINDS = {"toy": ToyProvider()}
NOW = datetime(2026, 1, 1, tzinfo=UTC)
ONE = toy("one", size=1)
TWO = toy("two", needs=frozenset({ONE.key}), size=2)
THREE = toy("three", needs=frozenset({TWO.key}), size=3)


def there(owner: str = "demo", **values: int) -> Live:
    return Live({"values": values}, token="uid:digest", uid="uid", owner=owner)


def asked(
    name: str,
    found: Mapping[str, Found],
    record: Mapping[Key, Entry] | None = None,
    written: tuple[Touch, ...] = (),
) -> Why:
    """What is known of a toy of ONE <- TWO <- THREE; every toy that is not given is in sync."""
    wanted = {each.key: each for each in (ONE, TWO, THREE)}
    live: dict[Key, Found] = {key(n): there(size=size) for n, size in (("one", 1), ("two", 2), ("three", 3))}
    live |= {key(n): each for n, each in found.items()}
    graph = edges(wanted.values())
    lock = State("demo", "lineage", 1, entries=record or {})
    inputs = Inputs(wanted, graph, ordered(graph), live, lock, NOW)
    return why(key(name), inputs, prune(decide(inputs, KINDS), inputs, KINDS), KINDS, written)


def test_one_that_is_as_wanted_says_so_with_its_neighbours() -> None:
    found = asked("two", {})
    assert (found.state.word, found.state.good) == ("ready", True)
    assert [(str(each.key), each.good) for each in found.waits] == [("toy/cluster1/one", True)]
    assert [str(each.key) for each in found.users] == ["toy/cluster1/three"]
    assert found.behind == ()
    assert why_text(found, colour=False).startswith("toy/cluster1/two: in sync and ready\n")


def test_a_field_is_told_as_wanted_and_as_live_with_its_writers() -> None:
    written = (
        Touch((), "helm", "2026-01-01T00:00:00Z"),
        Touch(("values", "size"), "kubectl-edit", "2026-01-02T00:00:00Z"),
        Touch(("values", "size"), "mesh/toy", "2026-01-01T00:00:00Z"),
    )
    found = asked("two", {"two": there(size=9, other=1)}, written=written)
    assert found.state.text.startswith("differs in 2 fields")
    other, size = found.facts
    assert (size.path, size.word, size.live, size.wanted) == (("values", "size"), "differs", 9, 2)
    assert [each.manager for each in size.by] == ["kubectl-edit", "mesh/toy"]
    assert [each.manager for each in other.by] == ["helm"]
    text = why_text(found, colour=False)
    assert "kubectl-edit at 2026-01-02T00:00:00Z, mesh/toy at 2026-01-01T00:00:00Z" in text
    assert why_json(found)["fields"][1]["live"] == 9


def test_what_is_not_there_is_missing_in_every_field() -> None:
    found = asked("two", {"two": None})
    assert (found.state.word, found.live) == ("missing", None)
    assert [fact.word for fact in found.facts] == ["missing"]
    assert "live      missing" in why_text(found, colour=False)


def test_what_is_behind_a_need_is_told_too() -> None:
    found = asked("three", {"one": None})
    assert [(str(each.key), each.good) for each in found.waits] == [("toy/cluster1/two", True)]
    assert [(str(each.key), each.word) for each in found.behind] == [("toy/cluster1/one", "missing")]
    assert "Which in turn wait for\n" in why_text(found, colour=False)


def test_what_could_not_be_read_is_not_known() -> None:
    found = asked("two", {"two": Unread("timed out")})
    assert found.state.text == "not known: timed out"
    assert why_text(found, colour=False).count("timed out") == 1
    assert (why_json(found)["live"], found.facts) == (None, ())


def test_what_left_the_file_is_told_by_its_record() -> None:
    gone = there(size=4)
    last = Last(Place("", "four"), fingerprints(gone.attrs), created=True, uid="uid")
    record = {key("four"): Entry(last, frozenset({TWO.key}))}
    found = asked("four", {"four": gone}, record)
    assert (found.state.word, found.origin) == ("no longer wanted", None)
    assert [str(each.key) for each in found.waits] == ["toy/cluster1/two"]
    text = why_text(found, colour=False)
    assert "wanted    no longer in the configuration" in text
    assert "recorded  created by mesh" in text


def test_what_somebody_else_made_is_refused_with_the_plans_own_words() -> None:
    found = asked("two", {"two": there("helm release x/y", size=9)})
    assert found.state.word == "refused"
    assert "take it over with `--take toy/cluster1/two`" in found.state.text


def test_a_text_from_a_cluster_is_harmless() -> None:
    found = asked("two", {"two": there("\x1b[31mred", size=2)})
    assert "\x1b" not in why_text(found, colour=False)
