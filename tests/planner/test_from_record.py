"""A record against a wish: what the plan of somebody who may not read the thing itself is made of."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.engine.session import Session
from mesh.errors import RefusedError
from mesh.model import ABSENT, Action, Field, Key, Place, Reason, Recorded, Resource, Sensitive, Unknown
from mesh.model.diff import dotted, fingerprints
from mesh.planner.from_record import parts, recorded_diff, refuse_as_recorded, removal_as_recorded
from mesh.sdk.capabilities import Adoptable
from mesh.sdk.contract import Last
from tests.engine.toy import Toy, ToyProvider, carry_out, key, plan, toy, toys
from tests.engine.wishes import LAW, fresh, wishes

WAS = Recorded()
WISH = {"version": "1.30.2", "values": {"pilot": {"cpu": 1}, "a.b": True}}


def last(attrs: dict[str, Any], **more: Any) -> Last:
    return Last(Place("", "a"), fingerprints(attrs), **more)


def test_what_is_wanted_as_it_was_recorded_does_not_differ() -> None:
    assert recorded_diff(WISH, last(WISH), {}) == ()


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({**WISH, "version": "1.30.3"}, Field(("version",), WAS, "1.30.3")),
        ({**WISH, "new": 1}, Field(("new",), ABSENT, 1)),
        ({"version": "1.30.2", "values": {"pilot": {"cpu": 1}}}, Field(("values", "a.b"), WAS, ABSENT)),
        ({**WISH, "version": Unknown(key("a"))}, Field(("version",), WAS, Unknown(key("a")))),
    ],
)
def test_another_wish_is_told_field_by_field(wanted: dict[str, Any], expected: Field) -> None:
    assert recorded_diff(wanted, last(WISH), {}) == (expected,)


def test_what_visibly_is_otherwise_is_told_as_it_is() -> None:
    strange = {"version": "1.29.0", "objects": {"Deployment istiod": {"image": "x"}}}
    assert recorded_diff(WISH, last(WISH), strange) == (
        Field(("objects", "Deployment istiod", "image"), "x", ABSENT),
        Field(("version",), "1.29.0", "1.30.2"),
    )


def test_what_was_of_others_before_is_not_taken_away() -> None:
    mine = last(WISH, created=False, theirs=frozenset({"values.pilot.cpu"}))
    wanted = {"version": "1.30.2", "values": {"a.b": True}}
    assert recorded_diff(wanted, mine, {}) == ()


def test_a_secret_has_no_digest_and_counts_as_the_same() -> None:
    wanted = {"password": Sensitive("new")}
    assert recorded_diff(wanted, last({"password": Sensitive("old")}), {}) == ()


part = st.text(st.characters(exclude_characters='"', exclude_categories=("Cs", "Cc")), min_size=1)


@given(st.lists(part, min_size=1).map(tuple))
def test_a_recorded_path_is_read_back_as_it_was_written(path: tuple[str, ...]) -> None:
    assert parts(dotted(path)) == path


@LAW
@given(first=wishes(), data=st.data())
def test_what_is_hidden_is_planned_as_if_it_were_seen_while_nobody_else_touches_it(
    folders: Path, first: tuple[Resource[Toy], ...], data: st.DataObject
) -> None:
    here = fresh(folders)
    carry_out(here, plan(here, *first))
    kept = first[: data.draw(st.integers(0, len(first)))]
    values = st.sampled_from([0, 1, 2, 3])
    second = [
        replace(each, spec=Toy({**each.spec.values, "out": data.draw(values)}))
        if data.draw(st.booleans())
        else each
        for each in kept
    ]
    seen = told(here, second)
    for cluster in here.world.kubes:
        toys(here.world, cluster).hidden = True
    planned = plan(here, *second).plan
    assert told(here, second) == seen
    assert set(planned.recorded) == {each.key for each in first}
    assert not planned.deferred


def told(here: Session, wanted: list[Resource[Toy]]) -> list[Any]:
    steps = plan(here, *wanted).plan.steps
    return [
        (step.action, step.key, step.reason, step.needs, [(each.path, each.after) for each in step.fields])
        for step in steps
    ]


def test_what_is_hidden_and_was_never_recorded_is_deferred(folders: Path) -> None:
    here = fresh(folders)
    toys(here.world, "cluster1").hidden = True
    planned = plan(here, toy("a", out=1)).plan
    assert planned.steps == planned.recorded == ()
    assert [each.key for each in planned.deferred] == [key("a")]


def test_nothing_is_written_on_the_strength_of_a_record(folders: Path) -> None:
    here = fresh(folders)
    carry_out(here, plan(here, toy("a", out=1)))
    toys(here.world, "cluster1").hidden = True
    with pytest.raises(RefusedError, match=r"may not list secrets in cluster1, so toy/cluster1/a can"):
        refuse_as_recorded(plan(here, toy("a", out=2)).plan)


@pytest.mark.parametrize(
    ("mine", "adoptable", "expected"),
    [
        (last(WISH), False, Action.DELETE),
        (last(WISH, created=False), True, Action.UPDATE),
        (last(WISH, created=False, theirs=frozenset(fingerprints(WISH))), True, Action.FORGET),
        (last(WISH, created=False), False, Action.FORGET),
    ],
)
def test_what_leaves_is_deleted_given_back_or_forgotten(
    mine: Last, adoptable: bool, expected: Action
) -> None:
    class AdoptableToy(ToyProvider, Adoptable):
        pass

    kind = AdoptableToy() if adoptable else ToyProvider()
    step = removal_as_recorded(kind, Key("toy", "cluster1", "a"), mine, Reason.REMOVED)
    assert step.action is expected
    assert all(each.before == WAS and each.after is ABSENT for each in step.fields)
