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
    assert (answer.code, "No changes" in answer.out) == (6, False)
    assert "Destroy incomplete! Resources: 0 destroyed." in answer.out
    assert "not read: cluster cluster1, cluster cluster2" in answer.err
    assert not (unreachable.folder / "mesh.lock").exists()


def test_a_destroy_names_the_clusters_that_did_not_answer(unreachable: Unreachable) -> None:
    answer = unreachable("destroy", "--yes")
    for cluster in ("cluster1", "cluster2"):
        assert f"cluster {cluster} did not answer" in answer.out
    assert " ".join(answer.out.split()).count("what mesh created in it is not known, and stays") == 2


def test_options_of_apply_are_not_options_of_destroy(unreachable: Unreachable) -> None:
    assert unreachable("destroy", "--take", "link/cluster1/cluster2").code == 64
