"""What a plan says beside its steps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from mesh.engine.session import Session
from mesh.model import Live
from mesh.sdk.capabilities import Tolerant
from tests.engine.toy import Toy, ToyProvider, carry_out, plan, toy, toys


class Loose(ToyProvider, Tolerant[Toy]):
    """Toys of which others may change `loose`."""

    def ignored(self, spec: Toy, live: Live) -> Iterator[str]:
        if spec.values.get("loose") != (now := live.attrs["values"].get("loose")):
            yield f"loose is {now}; ignored"


def test_what_is_ignored_is_named_with_its_address(here: Session) -> None:
    session = replace(here, kinds={"toy": Loose()})
    carry_out(session, plan(session, toy("a", loose=1)))
    assert plan(session, toy("a", loose=1)).plan.warnings == ()
    toys(session.world, "cluster1").toys["a"]["values"]["loose"] = 2
    assert "toy/cluster1/a: loose is 2; ignored" in plan(session, toy("a", loose=1)).plan.warnings


def test_a_kind_that_lets_nothing_differ_ignores_nothing(here: Session) -> None:
    carry_out(here, plan(here, toy("a", loose=1)))
    toys(here.world, "cluster1").toys["a"]["values"]["loose"] = 2
    assert plan(here, toy("a", loose=1)).plan.warnings == ()


def test_a_cluster_without_an_answer_is_named_once(here: Session) -> None:
    carry_out(here, plan(here, toy("a"), toy("far", "cluster2")))
    toys(here.world, "cluster2").down = True
    warnings = plan(here, toy("a"), toy("far", "cluster2")).plan.warnings
    assert [each for each in warnings if each.startswith("cluster cluster2 did not answer")] == [
        "cluster cluster2 did not answer: cluster2 does not answer"
    ]
