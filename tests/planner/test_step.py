"""One resource by itself."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from mesh.model import Live, Place, Reason, Touch
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


def test_nothing_is_decided_for_what_is_as_wanted() -> None:
    assert decided(live(out=1), out=1) is None


def test_what_is_gone_since_the_last_apply_was_deleted_by_somebody() -> None:
    assert (decided(None, out=1).reason, decided(None, last(), out=1).reason) == (Reason.NEW, Reason.DRIFT)
    assert "deleted outside mesh" in decided(None, last(), out=1).why
    assert decided(None, last("open"), out=1).reason is Reason.NEW
