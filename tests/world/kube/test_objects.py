"""Objects of an API server have the types of the Kubernetes API, or are refused with their name and path."""

from __future__ import annotations

from typing import Any

import pytest

from mesh.model.bounded_text import Unfit
from mesh.world.kube.objects import SHAPES, typed

META = {"name": "x", "namespace": "ns", "uid": "u", "labels": {"a": "b"}}


@pytest.mark.parametrize("kind", [*SHAPES, "Other"])
def test_an_object_with_nothing_but_metadata_fits_every_kind(kind: str) -> None:
    assert typed({"metadata": META}, kind) == {"metadata": META}
    assert typed({"metadata": META, "spec": None, "status": None}, kind)["metadata"] == META


@pytest.mark.parametrize(
    ("kind", "more", "why"),
    [
        (
            "Gateway",
            {"status": {"conditions": [{"status": "True"}]}},
            r"status\.conditions\[0\]\.type is missing",
        ),
        ("Gateway", {"status": {"conditions": {}}}, r"status\.conditions is not a list"),
        ("Gateway", {"status": {"addresses": ["x"]}}, r"status\.addresses\[0\] is not a map"),
        ("Gateway", {"spec": {"listeners": [{"name": "a", "port": "1"}]}}, "port is not a whole number"),
        ("Gateway", {"spec": []}, "spec is not a map"),
        ("Service", {"status": {"loadBalancer": {"ingress": [1]}}}, r"ingress\[0\] is not a map"),
        ("Lease", {"spec": {"holderIdentity": {}}}, r"spec\.holderIdentity is not text"),
        ("Lease", {"spec": {"renewTime": 5}}, r"spec\.renewTime is not text"),
        ("ConfigMap", {"data": {"mesh": 5}}, r"data\.mesh is not text"),
        ("Secret", {"data": ["x"]}, "data is not a map"),
        ("Deployment", {"status": {"readyReplicas": "3"}}, "readyReplicas is not a whole number"),
        ("Other", {"spec": 5}, "spec is not a map"),
    ],
)
def test_a_wrong_type_is_told_with_the_object_and_the_path(kind: str, more: dict[str, Any], why: str) -> None:
    with pytest.raises(Unfit, match=f"^{kind} ns/x: .*{why}$"):
        typed({"metadata": META, **more}, kind)


@pytest.mark.parametrize(
    "meta",
    [
        None,
        [],
        {"name": 5},
        {"labels": {"a": 1}},
        {"labels": "x"},
        {"annotations": []},
        {"managedFields": {}},
        {"managedFields": [{"fieldsV1": "x"}]},
        {"ownerReferences": [{}]},
        {"generation": "1"},
        {"name": "a/b"},
        {"name": ".."},
        {"name": "a%2fb"},
        {"name": "a\nb"},
        {"name": "x" * 254},
        {"namespace": "../kube-system"},
    ],
)
def test_metadata_of_another_shape_or_with_a_name_that_is_a_path_is_refused(meta: Any) -> None:
    with pytest.raises(Unfit):
        typed({"metadata": {**META, **meta} if isinstance(meta, dict) else meta}, "Pod")


@pytest.mark.parametrize("obj", [None, [], "x", 5, {}])
def test_what_is_not_an_object_is_refused(obj: object) -> None:
    with pytest.raises(Unfit, match="a Pod has no metadata"):
        typed(obj, "Pod")
