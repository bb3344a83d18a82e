"""From manual links to automatic ones and back: the order is a graph, the gap is announced."""

from __future__ import annotations

from mesh.model import Key, Live, Place
from mesh.planner.link_switch import (
    automatic_first,
    blocked_by_peers,
    gap,
    gap_back,
    manual_first,
    without_distributed,
)
from mesh.providers.peer import BY_HAND, REPLACED
from mesh.sdk.contract import Last
from mesh.state.lockfile import Entry, State
from tests.support.steps import drawn, step, steps

LINK, PEER = Key("link", "a", "b"), Key("peer", "a", "b")


def peer(*, by_hand: bool = False) -> Live:
    return Live({}, "uid:1", "uid", status={BY_HAND: by_hand, REPLACED: False})


def test_what_starts_automatic_linking_waits_until_every_manual_link_is_gone() -> None:
    some = steps(step("- link/a/b"), step("~ chart/a/istiod"), step("~ chart/a/cni"), step("<= peer/a/b"))
    assert drawn(manual_first(some).values()) == [
        "- link/a/b",
        "~ chart/a/istiod < link/a/b",
        "~ chart/a/cni",
        "<= peer/a/b < link/a/b",
    ]
    assert gap(some)[0].endswith(
        "calls from a to b fail from then until the management plane has distributed its peers"
    )


def test_without_a_manual_link_nothing_waits_and_no_gap_is_announced() -> None:
    some = steps(step("~ chart/a/istiod"))
    assert drawn(manual_first(some).values()) == ["~ chart/a/istiod"]
    assert gap(some) == []


def test_links_wait_for_the_peers_and_these_for_the_istiod_that_made_them() -> None:
    some = steps(step(". peer/a/b"), step("~ chart/b/istiod"), step("+ link/a/b"))
    back = automatic_first(some, {PEER: peer()})
    assert drawn(back.values()) == [
        "- peer/a/b < chart/b/istiod",
        "~ chart/b/istiod",
        "+ link/a/b < peer/a/b",
    ]
    assert blocked_by_peers(back) == {LINK}
    assert "calls from a to b fail" in gap_back(back)[0]


def test_a_link_counts_as_missing_while_a_distributed_peer_has_its_name() -> None:
    state = State("demo", "lineage", entries={PEER: Entry(Last(Place("", "b")))})
    found = {LINK: peer(), PEER: peer()}
    assert without_distributed(found, {LINK: None}, state)[LINK] is None
    assert without_distributed(found, {LINK: None, PEER: None}, state)[LINK] is not None
    by_hand = {LINK: peer(by_hand=True), PEER: peer(by_hand=True)}
    assert without_distributed(by_hand, {LINK: None}, state)[LINK] is not None
