"""kubectl commands for a cluster, as shell words."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from mesh.sdk.kubectl import kubectl, kubectl_apply, options, unmarked
from tests.support.meshes import mesh_of

CLUSTER = mesh_of("solo").cluster("a")


def test_a_cluster_is_selected_by_its_context_and_by_the_kubeconfig_of_the_file() -> None:
    assert options(CLUSTER) == ("--context=a",)
    assert options(replace(CLUSTER, kubeconfig="k")) == ("--context=a", "--kubeconfig=k")


def test_no_word_is_taken_for_an_option_or_expanded() -> None:
    strange = replace(CLUSTER, context="--as=admin $(id)")
    assert kubectl(strange, "get", "a b") == "kubectl '--context=--as=admin $(id)' get 'a b'"


def test_an_object_is_applied_from_stdin_and_its_text_is_not_expanded() -> None:
    assert kubectl_apply(CLUSTER, {"data": {"a": "$(id)"}}) == (
        "kubectl --context=a apply -f - <<'EOF'\ndata:\n  a: \"$(id)\"\nEOF\n"
    )


@pytest.mark.parametrize(
    ("labels", "kept"),
    [
        ({"meshform.io/mesh": "demo", "app": "x"}, {"labels": {"app": "x"}}),
        ({"meshform.io/mesh": "demo"}, {}),
        ({"other/meshform.io": "x"}, {"labels": {"other/meshform.io": "x"}}),
    ],
)
def test_the_marks_of_mesh_are_left_out_with_the_section_that_held_only_them(
    labels: dict[str, str], kept: dict[str, Any]
) -> None:
    body = {"kind": "Secret", "metadata": {"name": "x", "labels": labels, "annotations": {"a": "b"}}}
    assert unmarked(body) == {"kind": "Secret", "metadata": {"name": "x", "annotations": {"a": "b"}, **kept}}
    assert body["metadata"]["labels"] is labels  # type: ignore[index]
