"""Validation errors are reported in mesh's words."""

from __future__ import annotations

import pytest

from mesh.config.decode import json_schema
from mesh.config.schema.messages import did_you_mean, keys_at, kind_of
from tests.config.decoding import mistakes


def test_every_known_key_is_described_or_speaks_for_itself() -> None:
    spec = json_schema()["definitions"]["ClusterPart"]["properties"]
    assert set(spec) == set(keys_at(("spec", "clusters", 0)))
    assert spec["context"]["description"] == "kubeconfig context; default: the name"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("0", "must be 1 or more, is 0"),
        ("999", "must be 250 or less, is 999"),
        ("two", "must be a whole number, is text"),
    ],
)
def test_a_number_out_of_range_names_the_range(value: str, words: str) -> None:
    assert mistakes(f"clusters: [{{name: a}}]\nrollout: {{clusters: {value}}}") == [
        f"spec.rollout.clusters: {words}"
    ]


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (None, "empty"),
        (True, "true or false"),
        (1.5, "a number"),
        ("x", "text"),
        ([], "a list"),
        ({}, "a map"),
    ],
)
def test_a_type_has_its_name_in_yaml(value: object, name: str) -> None:
    assert kind_of(value) == name


def test_only_a_near_word_is_suggested() -> None:
    assert did_you_mean("Clutser1", ["cluster1", "west"]) == "did you mean cluster1?"
    assert did_you_mean("mars", ["cluster1", "west"]) == ""
