"""What differs between a reviewed plan and the same plan made again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mesh.errors import StalePlanError
from mesh.model import ABSENT, Deferral, Field, Key, Left, Plan, Review
from mesh.planner.saved import Difference, clusters, differences, facts, refuse
from tests.support.steps import step

ISTIOD = Key("chart", "a", "istiod")
UPDATE = replace(
    step("~ chart/a/istiod"),
    fields=(Field(("version",), "1", "2"), Field(("new",), ABSENT, True)),
    review=Review({"ConfigMap x": "s1"}, {"p": "h1"}, {"istiod": "c1"}, "u1", "t1", {"secret/a/b x": "r1"}),
)
PLAN = Plan(
    "demo", (UPDATE, step("<= gateway/a/x")), 7, "line", {"a": "u", "b": ""}, config="c", tools={"mesh": "1"}
)


def told(now: Plan) -> list[str]:
    return [str(each) for each in differences(PLAN, now)]


def test_the_same_plan_has_no_difference_whatever_it_waits_for_or_says() -> None:
    other = replace(
        PLAN,
        steps=(replace(UPDATE, notes=("x",), why="y", expects="z"),),
        warnings=("w",),
        unchanged=9,
        clusters={"a": "u", "b": "v"},
    )
    assert told(PLAN) == told(other) == []


def test_every_digest_of_a_step_is_compared_by_its_name() -> None:
    other = replace(UPDATE, review=Review({"ConfigMap x": "s2"}, {"p": "h2"}, {"istiod": "c2"}, "u2", "t2"))
    assert told(replace(PLAN, steps=(other,))) == [
        "chart/a/istiod: live object, its uid: reviewed u1, now u2",
        "chart/a/istiod: live object, the fields that mesh sets: reviewed t1, now t2",
        "chart/a/istiod: bytes of chart istiod: reviewed c1, now c2",
        "chart/a/istiod: hidden value p: reviewed h1, now h2",
        "chart/a/istiod: manifest ConfigMap x: reviewed s1, now s2",
        "chart/a/istiod: value read from secret/a/b x: reviewed r1, now none",
    ]


def test_steps_and_fields_that_come_or_go_are_told() -> None:
    other = replace(UPDATE, fields=(Field(("version",), "1", "3"),))
    assert told(replace(PLAN, steps=(other, step("- link/a/b")))) == [
        "chart/a/istiod: new: reviewed none -> True, now none",
        "chart/a/istiod: version: reviewed '1' -> '2', now '1' -> '3'",
        "link/a/b: step: reviewed none, now delete",
    ]
    late = replace(PLAN, steps=(), deferred=(Deferral(ISTIOD, "down"),))
    assert told(late) == ["chart/a/istiod: step: reviewed update, now deferred: down"]
    assert told(
        replace(
            PLAN, steps=(replace(step("-/+ chart/a/istiod"), fields=UPDATE.fields, review=UPDATE.review),)
        )
    ) == ["chart/a/istiod: step: reviewed update, now replace"]


def test_what_is_left_to_others_is_compared() -> None:
    assert told(replace(PLAN, left=(Left(ISTIOD, "ann", "x/y"),))) == [
        "chart/a/istiod: reviewed none, now left to ann at x/y"
    ]


def test_the_facts_of_both_plans_are_compared() -> None:
    other = replace(PLAN, mesh="m", config="d", serial=8, lineage="l", tools={"mesh": "2", "helm": "4"})
    assert [str(each) for each in facts(PLAN, other)] == [
        "mesh: reviewed demo, now m",
        "configuration: reviewed c, now d",
        "lockfile serial: reviewed 7, now 8",
        "lockfile lineage: reviewed line, now l",
        "version of helm: reviewed none, now 4",
        "version of mesh: reviewed 1, now 2",
    ]
    first = replace(PLAN, serial=0)
    assert facts(first, replace(first, lineage="other")) == ()


def test_another_cluster_is_told_and_one_that_does_not_answer_is_not_another() -> None:
    found = clusters({"a": "u", "b": "v", "c": "w"}, {"a": "x", "b": "", "d": "y"})
    assert [str(each) for each in found] == [
        "cluster a: UID of kube-system: reviewed u, now x",
        "cluster c: reviewed in the mesh, now none",
        "cluster d: reviewed none, now in the mesh",
    ]


def test_many_differences_are_counted_and_none_is_fine() -> None:
    refuse(())
    with pytest.raises(StalePlanError, match="and 5 more differences") as error:
        refuse(tuple(Difference(str(number), "x", "y") for number in range(25)))
    assert error.value.message.startswith(
        "the saved plan no longer holds, nothing was changed:\n  0: reviewed x"
    )
