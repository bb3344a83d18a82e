"""The starter file: names of clusters, and text that is valid for any context."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.config.decode import decode
from mesh.config.source.load import parse
from mesh.config.starter import StarterCluster, entries, is_nameable, label, starter, word

ODD = (
    "a", "kind-a", "k3d-a", "x@a", "y@a", "A", "a-kind", "kubernetes", "me@kubernetes", "cluster", "Ω", "ω",
    "arn:aws:eks:eu-west-1:1:cluster/a", "arn:aws:eks:eu-west-1:2:cluster/a",
    "arn:aws:eks:us-east-1:1:cluster/a",
    "gke_p_eu-west1_a", "gke_q_eu-west1_a", "a-eu-west1", "me@a.eu-west-1.eksctl.io", "z" * 70, "z" * 71,
)  # fmt: skip


@pytest.mark.parametrize(
    ("context", "name"),
    [
        ("kind-cluster1", "cluster1"),
        ("k3d-dev", "dev"),
        ("cluster1", "cluster1"),
        ("arn:aws:eks:eu-west-1:123456789012:cluster/Prod_EU", "prod-eu-eu-west-1"),
        ("gke_project_europe-west1-b_main", "main-europe-west1-b"),
        ("me@prod.eu-west-1.eksctl.io", "prod-eu-west-1"),
        ("kubernetes-admin@east", "east"),
        ("kubernetes-admin@kubernetes", "kubernetes-kubernetes-admin"),
        ("default/api-x:6443/kube:admin", "default-api-x-6443-kube-admin"),
        ("Ω", "cluster"),
    ],
)
def test_a_cluster_is_named_without_what_its_tool_put_around_it(context: str, name: str) -> None:
    assert entries([context]) == (StarterCluster(name, context),)


def test_names_are_given_once() -> None:
    assert [one.name for one in entries(["kind-a", "k3d-a", "b"])] == ["a-kind", "a-k3d", "b"]
    long = [f"{'x' * 80}{number}" for number in range(2)]
    names = [one.name for one in entries([*long, "a", "kind-a", "Ω", "ω"])]
    assert len({*names}) == len(names)
    assert all(len(name) <= 63 for name in names)


@given(st.lists(st.sampled_from(ODD), unique=True), st.randoms())
def test_names_are_unique_and_do_not_depend_on_the_order(contexts: list[str], random: Random) -> None:
    first = {one.context: one.name for one in entries(contexts)}
    assert len({*first.values()}) == len(first)
    random.shuffle(contexts)
    assert {one.context: one.name for one in entries(contexts)} == first


def test_a_context_that_a_mesh_file_cannot_name_is_told_from_others() -> None:
    assert [is_nameable(each) for each in ("a", "a/b:c@d", "a b", "a$b", "{{x", "")] == [
        True,
        True,
        *[False] * 4,
    ]


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
