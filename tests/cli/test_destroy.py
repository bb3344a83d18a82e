"""`mesh destroy` where no cluster answers."""

from __future__ import annotations

import pytest

from tests.cli.unreachable import Unreachable


def test_a_destroy_needs_no_licence_and_an_apply_does(
    unreachable: Unreachable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GLOO_MESH_LICENSE_KEY")
    assert unreachable("apply", "--yes").code == 1
    answer = unreachable("destroy")
    assert (answer.code, answer.out.splitlines()[-1]) == (0, "Destroy complete! Resources: 0 destroyed.")


def test_a_destroy_names_the_clusters_that_did_not_answer(unreachable: Unreachable) -> None:
    answer = unreachable("destroy", "--yes")
    for cluster in ("cluster1", "cluster2"):
        assert f"cluster {cluster} did not answer" in answer.out


def test_options_of_apply_are_not_options_of_destroy(unreachable: Unreachable) -> None:
    assert unreachable("destroy", "--take", "link/cluster1/cluster2").code == 64
