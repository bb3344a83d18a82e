"""Whether a step is still the planned one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mesh.engine.task import check_same
from mesh.errors import StalePlanError
from mesh.model import Action, Field, Key, Unknown
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


def test_another_value_or_another_field_is_refused_by_its_path() -> None:
    for changed in (Field(("x",), 1, 3), Field(("z",), None, 1)):
        with pytest.raises(
            StalePlanError, match=rf"toy/c/a changed since the plan was made \({changed.dotted}\)"
        ):
            check_same(PLANNED, replace(PLANNED, fields=(changed,)))


def test_another_action_is_refused() -> None:
    with pytest.raises(StalePlanError, match="now it would be created"):
        check_same(PLANNED, replace(PLANNED, action=Action.CREATE, fields=()))
