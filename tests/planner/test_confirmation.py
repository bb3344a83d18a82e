"""Which clusters are confirmed by name."""

from __future__ import annotations

from dataclasses import replace

from mesh.engine.registry import all_kinds
from mesh.model import Action, Field
from mesh.planner.confirmation import confirmation, to_confirm
from tests.support.steps import step

KINDS = all_kinds()


def test_only_an_update_that_moves_the_root_of_trust_is_confirmed() -> None:
    moved = (Field(("issuer",), "old", "new"),)
    steps = [
        replace(step("~ cert/b/cacerts"), fields=moved),
        replace(step("~ cert/a/cacerts"), fields=(Field(("dns",), "x", "y"),)),
        replace(step("+ cert/c/cacerts"), fields=moved),
        step("~ chart/b/istiod"),
    ]
    assert steps[0].action is Action.UPDATE
    assert to_confirm(steps, KINDS) == ("b",)


def test_the_warning_names_the_clusters_and_the_option() -> None:
    assert confirmation(()) == ()
    (said,) = confirmation(("a", "b"))
    assert said.startswith("the root of trust of a, b changes")
    assert said.endswith("(--confirm NAME)")
