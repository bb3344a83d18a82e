"""Whether a step is still the planned one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mesh.engine.task import check_same
from mesh.errors import StalePlanError
from mesh.model import ABSENT, Action, Field, Key, Recorded, Sensitive, Touch, Unknown
from tests.support.steps import step

PLANNED = replace(
    step("~ toy/c/a"), fields=(Field(("x",), 1, 2), Field(("y",), 1, Unknown(Key("toy", "c", "b"))))
)


@pytest.mark.parametrize(
    "fields",
    [
        (Field(("x",), 1, 2), Field(("y",), 1, "anything")),
        (Field(("x",), 1, 2), Field(("y", "deeper"), 1, "anything")),
        (Field(("x",), 1, 2),),
    ],
)
def test_what_the_plan_showed_or_called_unknown_may_be_done(fields: tuple[Field, ...]) -> None:
    check_same(PLANNED, replace(PLANNED, fields=fields))


def test_another_value_or_another_field_is_refused_side_by_side() -> None:
    touch = Touch(("x",), "kubectl-edit", "2026-01-02T12:00:00Z")
    for changed, told in (
        (Field(("x",), 1, 3), "x: reviewed 1 -> 2; live 1; new 3"),
        (Field(("z",), ABSENT, 1), "z: reviewed no change; live (absent); new 1"),
        (
            Field(("x",), 7, 2, touch),
            "x: reviewed 1 -> 2; live 7; new 2, changed by kubectl-edit at 2026-01-02T12:00:00Z",
        ),
    ):
        with pytest.raises(StalePlanError) as error:
            check_same(PLANNED, replace(PLANNED, fields=(changed,)))
        assert error.value.message == f"toy/c/a changed since the plan was made:\n  {told}"


def test_a_value_that_only_the_record_knew_may_be_any_now() -> None:
    recorded = replace(PLANNED, fields=(Field(("x",), Recorded(), 2),))
    check_same(recorded, replace(PLANNED, fields=(Field(("x",), 7, 2),)))


def test_a_secret_is_not_shown_and_a_long_value_is_cut() -> None:
    changed = (Field(("z",), Sensitive("hunter2"), "x" * 500),)
    with pytest.raises(StalePlanError) as error:
        check_same(PLANNED, replace(PLANNED, fields=changed))
    assert "(sensitive value)" in error.value.message
    assert len(error.value.message) < 400


def test_many_fields_are_counted() -> None:
    with pytest.raises(StalePlanError, match="and 2 more fields"):
        check_same(PLANNED, replace(PLANNED, fields=tuple(Field((f"f{n}",), 1, 2) for n in range(12))))


def test_another_action_is_refused() -> None:
    with pytest.raises(StalePlanError, match="reviewed: update, now: create"):
        check_same(PLANNED, replace(PLANNED, action=Action.CREATE, fields=()))
