"""Adoptions that give other identities are disclosed and confirmed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from mesh.engine import plan as planning
from mesh.engine.session import Session
from mesh.model import Key, Live
from mesh.planner.inputs import PlanOptions
from mesh.planner.reissue import asked_for, disclosed, reissued
from mesh.sdk.capabilities import Confirmed
from tests.engine.toy import ToyProvider, carry_out, plan, toy, toys
from tests.support.steps import step

ISTIOD = Key("chart", "b", "istiod")
REASONS = {ISTIOD: "the trust domain becomes b.local"}


def test_only_the_steps_that_change_identities_have_the_note_and_before_their_own() -> None:
    other, adopted = step("~ chart/a/istiod"), step("~ chart/b/istiod")
    found = disclosed((other, adopted), REASONS)
    assert found[0] is other
    assert found[1].notes == ("disruptive: the trust domain becomes b.local",)
    assert disclosed(found, REASONS)[1].notes[1:] == found[1].notes


def test_the_warning_names_the_cluster_and_the_option() -> None:
    assert asked_for({}) == ()
    [said] = asked_for(REASONS)
    assert said.startswith("in b the trust domain becomes b.local: every identity is issued again")
    assert said.endswith("(--confirm NAME)")


class Issuing(ToyProvider, Confirmed):
    """Toys that give identities in the domain `out`."""

    def reissues(self, spec: Any, live: Live) -> str:
        wanted, now = spec.values["out"], live.outputs["out"]
        return "" if wanted == now else f"the trust domain becomes {wanted}"


def found(here: Session, *names: str) -> Mapping[Key, str]:
    """How identities change when these toys get the domain `new`."""
    wanted = {one.key: one for one in (toy(name, out="new") for name in names)}
    taken = PlanOptions(take=frozenset(wanted))
    decided = planning.decided(here, wanted, taken)
    return reissued(decided.inputs, decided.decisions, {"toy": Issuing()})


@pytest.mark.parametrize(("domain", "changes"), [("old", True), ("new", False)])
def test_an_adoption_changes_identities_if_its_domain_differs(
    domain: str, changes: bool, here: Session
) -> None:
    toys(here.world, "cluster1").put("a", {"out": domain, "more": 1}, owner="another")
    said = {Key("toy", "cluster1", "a"): "the trust domain becomes new"}
    assert found(here, "a") == (said if changes else {})


def test_neither_a_creation_nor_a_change_of_what_the_state_holds_is_an_adoption(here: Session) -> None:
    carry_out(here, plan(here, toy("a", out="old")))
    assert found(here, "a", "missing") == {}
