"""What people changed by hand in the objects of a release."""

from __future__ import annotations

from typing import Any

import pytest

from mesh.model import Touch
from mesh.providers.chart.drift import at, by_name, drift, rendered
from mesh.world import Object
from mesh.world.helm.releases import Release
from tests.providers.chart.releases import TIME, secret, view, workload, written

MANIFEST = """\
---
# Source: ztunnel/templates/daemonset.yaml
apiVersion: apps/v1
kind: DaemonSet
metadata:
  name: ztunnel
  labels: {app: ztunnel}
spec:
  template:
    spec:
      containers:
      - name: istio-proxy
        image: ztunnel:1.29.1
        env: [{name: LEVEL, value: info}]
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: ztunnel}
---
apiVersion: v1
kind: "ConfigMap"
metadata:
  labels: {a: b}
  name: 'settings'
data:
  mesh: "x"
"""
CONTAINER = 'k:{"name":"istio-proxy"}'


def release() -> Release:
    found = view(secret(manifest=MANIFEST)).deployed
    assert found
    return found


def daemon_set(image: str = "ztunnel:1.29.1", *managers: dict[str, Any]) -> Object:
    containers = [{"name": "istio-proxy", "image": image, "env": [{"name": "LEVEL", "value": "info"}]}]
    spec = {"template": {"spec": {"containers": containers}}}
    return workload("ztunnel", *managers, kind="DaemonSet", spec=spec)


def config_map(text: str = "x", *managers: dict[str, Any]) -> Object:
    return workload("settings", *managers, kind="ConfigMap", data={"mesh": text})


def image_by(manager: str) -> dict[str, Any]:
    fields = {"f:containers": {CONTAINER: {"f:image": {}}}}
    return written(manager, {"f:spec": {"f:template": {"f:spec": fields}}})


def drifted(*objects: Object) -> Any:
    return drift(release(), by_name(objects))


def test_the_watched_objects_of_a_rendering_are_found_without_parsing_it() -> None:
    assert list(rendered(MANIFEST)) == [("DaemonSet", "ztunnel"), ("ConfigMap", "settings")]
    assert list(rendered("")) == []


def test_what_no_person_wrote_is_no_drift_whatever_its_value() -> None:
    assert drifted(daemon_set("other", image_by("some-controller")), config_map("other")) == ({}, ())


def test_a_field_of_a_daemon_set_that_kubectl_wrote_is_named_with_its_writer() -> None:
    found, who = drifted(daemon_set("ztunnel:debug", image_by("kubectl-edit")), config_map())
    path = "spec.template.spec.containers.[istio-proxy].image"
    assert found == {"DaemonSet ztunnel": {path: "ztunnel:debug"}}
    assert who == (Touch(("objects", "DaemonSet ztunnel", path), "kubectl-edit", TIME),)


def test_of_an_object_that_a_person_wrote_only_the_fields_of_that_person_are_drift() -> None:
    label = written("kubectl-label", {"f:metadata": {"f:labels": {"f:a": {}}}})
    by_controller = daemon_set("other", image_by("some-controller"), label)
    assert drifted(by_controller, config_map()) == ({}, ())


def test_a_field_that_kubectl_wrote_with_the_value_of_the_chart_is_no_drift() -> None:
    assert drifted(daemon_set("ztunnel:1.29.1", image_by("kubectl-edit")), config_map()) == ({}, ())


def test_a_field_that_the_chart_does_not_render_is_no_drift() -> None:
    added = written("kubectl", {"f:data": {"f:more": {}}})
    objects = config_map("x", added)
    objects["data"]["more"] = "y"
    assert drifted(daemon_set(), objects) == ({}, ())


def test_a_field_that_a_person_removed_has_no_value_any_more() -> None:
    objects = config_map("x", written("kubectl-edit", {"f:data": {"f:mesh": {}}}))
    objects["data"] = {}
    assert drifted(daemon_set(), objects)[0] == {"ConfigMap settings": {"data.mesh": None}}


def test_a_deleted_object_counts_as_a_whole() -> None:
    assert drifted(daemon_set()) == ({"ConfigMap settings": {"there": False}}, ())


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("a", "[x]", "b"), 1),
        (("a", "[y]"), None),
        (("a", "[x]", "b", "deeper"), None),
        (("other", "b"), None),
    ],
)
def test_the_value_at_a_path_is_none_where_the_path_leads_nowhere(path: tuple[str, ...], value: Any) -> None:
    assert at({"a": [{"name": "x", "b": 1}]}, path) == value
