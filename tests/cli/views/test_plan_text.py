from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given

from mesh.cli.views.plan_text import plan_text
from mesh.model import ABSENT, Action, Field, Key, Plan, Reason, Step
from tests.cli.views.golden import expect
from tests.cli.views.plans import DELETE_LINK, FULL, HOSTILE, NOTHING, ONLY_READ, PLANS, RELAXED

RAW = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")


@pytest.mark.parametrize(
    ("name", "plan"), [("full", FULL), ("nothing", NOTHING), ("only-read", ONLY_READ), ("hostile", HOSTILE)]
)
def test_a_plan_reads_as_agreed(name: str, plan: Plan) -> None:
    expect(f"{name}.txt", plan_text(plan, colour=False, width=80))


def test_a_coloured_plan_reads_the_same_without_its_colours() -> None:
    coloured = plan_text(FULL, colour=True, width=80)
    assert "\x1b[32m+\x1b[0m" in coloured
    assert re.sub(r"\x1b\[\d+m", "", coloured) == plan_text(FULL, colour=False, width=80)


def test_only_symbols_in_use_are_in_the_legend() -> None:
    plan = replace(FULL, steps=(DELETE_LINK,), deferred=())
    text = plan_text(plan, colour=False, width=80)
    assert "  - destroy\n\nmesh will perform the following actions:\n" in text
    assert "create" not in text


def test_a_plan_that_only_waits_does_not_claim_that_nothing_changes() -> None:
    text = plan_text(ONLY_READ, colour=False, width=80)
    assert "No changes" not in text
    assert "Plan: 0 to add, 0 to change, 0 to destroy.\n1 cluster: 1 not ready, 0 deferred.\n" in text


def test_a_private_key_never_prints() -> None:
    pem = "-----BEGIN EC PRIVATE KEY-----\nMHc\n-----END EC PRIVATE KEY-----\n"
    step = Step(Action.CREATE, Key("x", "c", "n"), Reason.NEW, (Field(("a",), ABSENT, {"b": [pem]}),))
    text = plan_text(replace(NOTHING, steps=(step,)), colour=False, width=80)
    assert "MHc" not in text
    assert "(sensitive value)" in text


def test_a_huge_text_is_summarised() -> None:
    before, after = "\n".join(["a"] * 3000), "\n".join(["b"] * 3001)
    step = Step(Action.UPDATE, Key("x", "c", "n"), Reason.CONFIG, (Field(("a",), before, after),))
    text = plan_text(replace(NOTHING, steps=(step,)), colour=False, width=80)
    assert "# (3000 lines become 3001 lines)" in text


@RELAXED
@given(PLANS)
def test_no_plan_sends_a_control_character_to_the_terminal(plan: Plan) -> None:
    text = plan_text(plan, colour=False, width=80)
    assert not RAW.search(text)
    coloured = plan_text(plan, colour=True, width=80)
    assert not RAW.search(re.sub(r"\x1b\[\d+m", "", coloured))


@RELAXED
@given(PLANS)
def test_the_summary_line_is_terraforms(plan: Plan) -> None:
    text = plan_text(plan, colour=False, width=80)
    counts = re.search(r"^Plan: (\d+ to import, )?\d+ to add, \d+ to change, \d+ to destroy\.$", text, re.M)
    assert bool(counts) is not plan.empty
