"""A part of a mesh: patterns, and what a part brings with it or takes away."""

from __future__ import annotations

import pytest

from mesh.errors import UsageError
from mesh.model import Deferral, Key
from mesh.planner.decisions import Decisions
from mesh.planner.selection import (
    EVERYTHING,
    Chosen,
    Selection,
    check_patterns,
    choose,
    matches,
    narrowed,
    warnings,
)
from tests.support.steps import step, steps

BASE, ISTIOD, CNI = (Key("chart", "cluster1", name) for name in ("base", "istiod", "cni"))
OTHER = Key("chart", "cluster2", "istiod")
LINK = Key("link", "cluster1", "cluster2")
KEYS = (BASE, ISTIOD, CNI, OTHER, LINK)
NEEDS = {
    BASE: frozenset[Key](),
    ISTIOD: frozenset({BASE}),
    CNI: frozenset({ISTIOD}),
    OTHER: frozenset[Key](),
    LINK: frozenset({CNI, OTHER}),
}


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("chart/cluster1/istiod", {ISTIOD}),
        ("chart/*/istiod", {ISTIOD, OTHER}),
        ("chart/*", {BASE, ISTIOD, CNI, OTHER}),
        ("*/cluster1/*", {BASE, ISTIOD, CNI, LINK}),
        ("link", {LINK}),
        ("cluster2", {OTHER}),
        ("cluster[12]", set(KEYS)),
        ("chart/cluster?/c*", {CNI}),
        ("istiod", set()),
        ("chart/cluster1/istiod/x", set()),
        ("Chart", set()),
    ],
)
def test_a_pattern_is_an_address_a_kind_or_a_cluster(pattern: str, found: set[Key]) -> None:
    assert {key for key in KEYS if matches(pattern, key)} == found


@pytest.mark.parametrize(
    ("pattern", "hint"),
    [
        ("chart/cluster1/istoid", "did you mean chart/cluster1/istiod"),
        ("cluster3", "did you mean cluster"),
        ("lnik", "did you mean link?"),
        ("zzz*", "name a kind, a cluster or an address"),
    ],
)
def test_an_unknown_pattern_is_a_usage_error_with_the_nearest_names(pattern: str, hint: str) -> None:
    check_patterns(["link", "chart/*/istiod"], "--target", KEYS)
    with pytest.raises(UsageError, match="no resource of this mesh matches") as error:
        check_patterns(["link", pattern], "--target", KEYS)
    assert error.value.message.startswith(f"--target {pattern}: ")
    assert hint in error.value.hint


def test_a_target_brings_what_it_needs_and_nothing_that_needs_it() -> None:
    assert choose(Selection(("chart/cluster1/istiod",)), KEYS, NEEDS) == Chosen(
        frozenset({BASE, ISTIOD}), needed=frozenset({BASE})
    )


def test_what_is_excluded_takes_with_it_what_needs_it() -> None:
    assert choose(Selection((), ("chart/cluster1/istiod",)), KEYS, NEEDS) == Chosen(
        frozenset({BASE, OTHER}), dropped=frozenset({CNI, LINK})
    )


def test_a_target_that_needs_what_is_excluded_is_left_out() -> None:
    found = choose(Selection(("link", "chart/*/base"), ("chart/cluster1/cni",)), KEYS, NEEDS)
    assert found.keys == {BASE, ISTIOD, OTHER}
    assert found.dropped == {LINK}


def test_without_options_everything_is_selected() -> None:
    assert choose(EVERYTHING, KEYS, NEEDS) == Chosen(frozenset(KEYS))
    assert not EVERYTHING
    assert warnings(EVERYTHING, Chosen(frozenset(KEYS)), (), ()) == []


def test_decisions_about_others_are_set_aside_if_they_are_not_in_sync() -> None:
    decisions = Decisions(
        steps=steps(step("~ chart/cluster1/istiod"), step("+ link/cluster1/cluster2")),
        deferred={OTHER: Deferral(OTHER, "down")},
        refusals={CNI: "no"},
        unchanged=(BASE,),
    )
    found = narrowed(decisions, frozenset({ISTIOD, BASE}))
    assert (set(found.steps), found.deferred, found.refusals, found.unchanged) == ({ISTIOD}, {}, {}, (BASE,))
    assert found.aside == {LINK, OTHER, CNI}


def test_a_plan_of_a_part_says_that_it_is_incomplete_and_why_it_has_what_it_has() -> None:
    selection = Selection(("chart/*/cni",), ("cluster2",))
    chosen = Chosen(frozenset({BASE, ISTIOD, CNI}), frozenset({BASE, ISTIOD}), frozenset({LINK}))
    assert warnings(selection, chosen, (ISTIOD, CNI), (OTHER, LINK)) == [
        "the plan is incomplete (--target chart/*/cni --exclude cluster2): 2 resources are left out: "
        "chart/cluster2/istiod, link/cluster1/cluster2; plan without these options afterwards, to verify "
        "that nothing remains",
        "--target brings what it needs: chart/cluster1/istiod",
        "--exclude takes with it what needs it: link/cluster1/cluster2",
    ]
