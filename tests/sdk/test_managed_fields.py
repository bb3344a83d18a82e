"""What managedFields tell: who wrote which field, and whose an object is."""

from __future__ import annotations

from typing import Any

import pytest

from mesh.model import Touch
from mesh.sdk.managed_fields import MESH_LABEL, owner_of, touches

EARLY, LATE = "2026-05-01T00:00:00Z", "2026-05-02T00:00:00Z"


def entry(manager: str, fields: dict[str, Any], time: str = EARLY, **more: str) -> dict[str, Any]:
    return {"manager": manager, "operation": "Update", "time": time, "fieldsV1": fields, **more}


def managed(*entries: dict[str, Any], **meta: Any) -> dict[str, Any]:
    return {"metadata": {"name": "x", "managedFields": list(entries), **meta}}


SPEC = {"f:spec": {"f:addresses": {}, "f:listeners": {'k:{"name":"xds-tls"}': {".": {}, "f:port": {}}}}}
LABEL = {"f:metadata": {"f:labels": {".": {}, "f:topology.istio.io/network": {}}}}


def test_each_field_is_told_with_its_writer_and_first_of_all_the_last_one() -> None:
    obj = managed(
        entry("kubectl-edit", SPEC, LATE),
        entry("kubectl-label", LABEL, EARLY),
    )
    assert touches(obj, manager="mesh/") == (
        Touch((), "kubectl-edit", LATE),
        Touch(("spec", "addresses"), "kubectl-edit", LATE),
        Touch(("spec", "listeners", "[xds-tls]", "port"), "kubectl-edit", LATE),
        Touch(("metadata", "labels", "topology.istio.io/network"), "kubectl-label", EARLY),
    )


def test_what_we_wrote_and_what_is_status_is_left_out() -> None:
    status = entry("pilot-discovery", {"f:status": {}}, subresource="status")
    assert touches(managed(entry("mesh/link", SPEC), status), manager="mesh/") == ()


@pytest.mark.parametrize(
    "fields",
    [{}, {"f:spec": {}}, {"f:spec": {".": {}}}, {"f:finalizers": {'v:"x"': {}}}, {"f:list": {"i:0": {}}}],
)
def test_any_shape_of_fields_is_read(fields: dict[str, Any]) -> None:
    first, *_ = touches(managed(entry("kubectl", fields)), manager="mesh/")
    assert first == Touch((), "kubectl", EARLY)


def test_an_object_without_managed_fields_has_no_touches() -> None:
    assert touches({"metadata": {"name": "x"}}, manager="mesh/") == ()


HELM = {"meta.helm.sh/release-name": "istiod", "meta.helm.sh/release-namespace": "istio-system"}


@pytest.mark.parametrize(
    ("meta", "owner"),
    [
        ({"labels": {MESH_LABEL: "prod"}, "annotations": HELM}, "prod"),
        ({"annotations": HELM}, "helm release istio-system/istiod"),
        ({"ownerReferences": [{"kind": "Gateway", "name": "istio-eastwest"}]}, "Gateway istio-eastwest"),
        ({}, "field manager kubectl-create"),
    ],
)
def test_an_object_belongs_to_who_marked_it(meta: dict[str, Any], owner: str) -> None:
    assert owner_of(managed(entry("kubectl-create", SPEC), **meta)) == owner


def test_an_object_of_nobody_has_no_owner() -> None:
    assert owner_of({"metadata": {"name": "x"}}) == ""
