"""`mesh import` refuses to overwrite, and reports where it found nothing."""

from __future__ import annotations

from tests.cli.unreachable import Unreachable


def test_a_file_is_never_overwritten(unreachable: Unreachable) -> None:
    before = (unreachable.folder / "mesh.yaml").read_text()
    answer = unreachable("import")
    assert (answer.code, "mesh.yaml already exists" in answer.err) == (64, True)
    assert (unreachable.folder / "mesh.yaml").read_text() == before


def test_a_mesh_of_which_no_cluster_answers_is_an_error_with_each_reason(unreachable: Unreachable) -> None:
    answer = unreachable("import", "--file", "new.yaml", "--context", "east=cluster1")
    assert answer.code == 1
    assert "found no cluster with Istio installed by helm (east: " in answer.err
    assert "https://127.0.0.1:1 cannot be reached" in answer.err
    assert "cluster2" not in answer.err
    assert not (unreachable.folder / "new.yaml").exists()


def test_a_context_that_does_not_exist_is_a_usage_error(unreachable: Unreachable) -> None:
    answer = unreachable("import", "--file", "-", "--context", "west")
    assert (answer.code, answer.out) == (64, "")
    assert "there is no context west in the kubeconfig" in answer.err
    assert "the contexts are cluster1, cluster2" in answer.err
