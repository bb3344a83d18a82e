"""Back to an older version: what must never be newer than istiod goes back before it."""

from __future__ import annotations

import pytest

from mesh.model import Action, Field, Key, Step
from mesh.model.graph import ordered
from mesh.planner.downgrade import backwards
from mesh.providers.chart.refusals import refuse_way

PARTS = ("base", "istiod", "cni", "ztunnel")
KEYS = {part: Key("chart", "a", part) for part in PARTS}
LABEL = Key("label", "a", "istio-system")


def changed(before: str, after: str, *, only: tuple[str, ...] = PARTS) -> dict[Key, Step]:
    """The charts of a cluster from one version to another; those not in `only` change in a value."""
    steps: dict[Key, Step] = {}
    need: frozenset[Key] = frozenset()
    for part, key in KEYS.items():
        field = Field(("version",), before, after) if part in only else Field(("values", "x"), 1, 2)
        steps[key] = Step(Action.UPDATE, key, fields=(field,), needs=need)
        need = frozenset({key})
    return {**steps, LABEL: Step(Action.UPDATE, LABEL, needs=need)}


def order(steps: dict[Key, Step]) -> list[str]:
    return [key.name for key in ordered({key: step.needs for key, step in steps.items()}) if key != LABEL]


def test_an_upgrade_goes_from_istiod_to_ztunnel() -> None:
    steps = changed("1.29.3-solo", "1.30.2-solo")
    assert order(backwards(steps, ["a"])) == ["base", "istiod", "cni", "ztunnel"]


def test_a_downgrade_goes_from_ztunnel_to_istiod() -> None:
    steps = backwards(changed("1.30.2-solo", "1.29.3-solo"), ["a"])
    assert order(steps) == ["ztunnel", "cni", "istiod", "base"]
    assert steps[KEYS["istiod"]].notes == ("downgraded after chart/a/cni",)
    assert steps[LABEL].needs == {KEYS["ztunnel"]}


def test_what_changes_beside_it_makes_no_circle() -> None:
    steps = changed("1.30.2-solo", "1.29.3-solo", only=("istiod",))
    assert order(backwards(steps, ["a"])) == ["ztunnel", "cni", "istiod", "base"]


def test_another_patch_of_the_same_line_keeps_the_order() -> None:
    steps = changed("1.30.2-solo", "1.30.1-solo")
    assert order(backwards(steps, ["a", "b"])) == ["base", "istiod", "cni", "ztunnel"]


@pytest.mark.parametrize(
    ("images", "downgrade", "says"),
    [
        ("1.30.9-solo", False, ""),
        ("1.30.0", False, ""),
        ("1.31.0-solo", False, ""),
        ("1.32.0-solo", False, "one minor version at a time"),
        ("1.29.3-solo", False, "that is a downgrade"),
        ("1.29.3-solo", True, ""),
        ("", False, ""),
        ("nightly", False, ""),
    ],
)
def test_images_go_no_further_than_charts_may_where_those_stay(
    images: str, downgrade: bool, says: str
) -> None:
    there = "1.30.2-solo"
    why = refuse_way("istiod", there, there, images, downgrade=downgrade)
    assert says in why
    assert bool(why) is bool(says)
    assert bool(why) is ("the charts are of 1.30.2-solo" in why)
