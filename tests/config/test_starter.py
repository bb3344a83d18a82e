"""The starter file: names of clusters, and text that is valid for any context."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.config.decode import decode
from mesh.config.source.load import parse
from mesh.config.starter import StarterCluster, entries, label, starter, word


@pytest.mark.parametrize(
    ("context", "name"),
    [
        ("kind-cluster1", "cluster1"),
        ("k3d-dev", "dev"),
        ("cluster1", "cluster1"),
        ("arn:aws:eks:eu-west-1:123456789012:cluster/Prod_EU", "prod-eu"),
        ("gke_project_europe-west1-b_main", "main"),
        ("me@prod.eu-west-1.eksctl.io", "prod"),
        ("kubernetes-admin@east", "east"),
        ("kubernetes-admin@kubernetes", "kubernetes-2"),
        ("default/api-x:6443/kube:admin", "default-api-x-6443-kube-admin"),
        ("Ω", "cluster"),
        ("x" * 80, "x" * 63),
    ],
)
def test_a_cluster_is_named_without_what_its_tool_put_around_it(context: str, name: str) -> None:
    assert entries([context]) == (StarterCluster(name, context),)


def test_names_are_given_once() -> None:
    assert [one.name for one in entries(["kind-a", "k3d-a", "a"])] == ["a", "a-2", "a-3"]


@pytest.mark.parametrize("text", ["no", "010", "a: b", "#x", "", "1.30", "é", "-", "@x", "a b"])
def test_a_word_reads_back_as_itself(text: str) -> None:
    assert parse(f"a: {word(text)}\n".encode(), "f").data == {"a": text}


@given(st.lists(st.text(max_size=70), max_size=6))
def test_any_contexts_give_a_valid_file(contexts: list[str]) -> None:
    found = entries(contexts) or (StarterCluster("cluster1", "cluster1"),)
    mesh = decode(parse(starter("prod", found).encode(), "mesh.yaml"))
    assert [(one.name, one.context) for one in mesh.clusters] == [(one.name, one.context) for one in found]


def test_labels_keep_what_they_can() -> None:
    assert label("--Ünder_score--") == "nder-score"
