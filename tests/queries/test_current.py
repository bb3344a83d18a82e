"""What every query sees, also where a plan would end with an error."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mesh.model import Key
from mesh.queries.current import current
from mesh.queries.status.read import read_status
from tests.queries.status.healthy import Healthy, healthy


def damaged(folder: Path) -> Healthy:
    """A mesh whose clusters are empty and whose lockfile was changed by hand."""
    (folder / "mesh.lock").write_text('{"format": 1}')
    return healthy("solo", folder)


def test_a_state_that_cannot_be_used_is_said_and_the_clusters_are_shown(tmp_path: Path) -> None:
    seen = current(damaged(tmp_path).session)
    assert "mesh.lock" in seen.note
    assert seen.states[Key.parse("gateway/a/istio-eastwest")].trouble == "missing"
    assert {each.key.cluster for each in seen.of("a")} == {"a"}


def test_status_says_it_first_and_judges_no_root_of_trust_without_the_state(tmp_path: Path) -> None:
    status = read_status(damaged(tmp_path).session)
    assert status.warnings[0].startswith("the state was not used")
    assert status.resources == ()
    assert not status.in_sync


def test_with_a_state_nothing_is_noted(tmp_path: Path) -> None:
    one: Any = healthy("upstream", tmp_path)
    assert current(one.session).note == ""
