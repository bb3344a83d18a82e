"""Who wrote a field last, and why it differs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from mesh.model import ABSENT, Live, Place, Reason, Touch
from mesh.model.diff import fingerprints
from mesh.planner.step import step_for
from mesh.sdk.contract import Last
from tests.engine.toy import Toy, ToyProvider, key

A = key("a")
KIND = ToyProvider()


def live(*touches: Touch, **values: Any) -> Live:
    return Live({"values": values}, "uid:1", "uid", touches=touches, owner="demo")


def decided(found: Live | None, last: Last | None = None, **values: Any) -> Any:
    return step_for(KIND, Toy(values), A, found, last, datetime(2026, 1, 1, tzinfo=UTC))


def last(status: str = "ok", **fields: str) -> Last:
    return Last(Place("", "a"), fields, status=status)


@pytest.mark.parametrize(
    ("path", "manager"),
    [
        (("values", "list"), "kubectl-edit"),
        (("values", "list", "[0]"), "kubectl-edit"),
        (("values",), "kubectl-edit"),
        (("other",), ""),
    ],
)
def test_a_field_is_told_with_who_wrote_it_or_the_list_around_it(path: tuple[str, ...], manager: str) -> None:
    found = live(Touch((), "last-writer", "t2"), Touch(path, "kubectl-edit", "t1"), list=["x"])
    (field,) = decided(found, last(), list=["y"]).fields
    assert (field.before, field.after) == ("x", "y")
    assert (field.touch.manager if field.touch else "") == (
        manager or ("kubectl-edit" if path == ("values",) else "")
    )


def test_a_field_that_is_gone_is_told_with_the_last_writer() -> None:
    (field,) = decided(live(Touch((), "kubectl-patch", "t")), last(), out=1).fields
    assert (field.before, field.touch) == (ABSENT, Touch((), "kubectl-patch", "t"))


@pytest.mark.parametrize(
    ("before", "wanted", "status", "reason"),
    [
        (1, 2, "ok", Reason.CONFIG),
        (9, 1, "ok", Reason.DRIFT),
        (1, 2, "open", Reason.RECOVER),
    ],
)
def test_what_differs_says_whether_the_file_or_another_writer_changed_it(
    before: int, wanted: int, status: str, reason: Reason
) -> None:
    recorded = Last(Place("", "a"), fingerprints({"values": {"out": 1}}), status=status)
    assert decided(live(out=before), recorded, out=wanted).reason is reason


def test_what_differs_and_was_never_recorded_is_adopted() -> None:
    assert decided(live(out=1), None, out=2).reason is Reason.ADOPT
