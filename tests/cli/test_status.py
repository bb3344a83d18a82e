"""`mesh status` where no cluster answers."""

from __future__ import annotations

import json

import pytest

from tests.cli.unreachable import Unreachable


def test_a_mesh_that_could_not_be_read_ends_with_6(unreachable: Unreachable) -> None:
    answer = unreachable("status")
    assert answer.code == 6
    assert answer.out.startswith("Mesh demo: 0 of 2 clusters ready, 0 of 2 links up, 2 not read.")
    assert unreachable("status", "--detailed-exitcode").code == 6


def test_a_status_needs_no_licence_and_prints_json(
    unreachable: Unreachable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GLOO_MESH_LICENSE_KEY")
    answer = unreachable("status", "--json", "--detailed-exitcode")
    assert answer.code == 6
    assert [each["name"] for each in json.loads(answer.out)["clusters"]] == ["cluster1", "cluster2"]
