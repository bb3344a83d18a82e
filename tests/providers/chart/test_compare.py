"""What counts as drift between a rendering and the live object, and what does not."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from mesh.model import ABSENT
from mesh.model.diff import dotted
from mesh.providers.chart.compare import compare
from mesh.world import Object
from tests.providers.chart.releases import TIME, written

CONTAINER = {
    "name": "discovery",
    "image": "pilot:1",
    "args": ["discovery", "--a"],
    "env": [{"name": "A", "value": "1"}],
}
POD = ("spec", "template", "spec")
WANTED: Object = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "istiod", "labels": {"app": "istiod"}},
    "spec": {
        "replicas": 1,
        "template": {
            "spec": {
                "containers": [{**CONTAINER, "resources": {"requests": {"cpu": "500m", "memory": "2048Mi"}}}]
            }
        },
    },
}


def live(*managers: dict[str, Any]) -> Any:
    """The object as the API server keeps it: with defaults, and quantities in its own form."""
    obj: Any = deepcopy(WANTED)
    obj["metadata"] |= {
        "uid": "u",
        "managedFields": [written("helm", {"f:spec": {"f:replicas": {}}}), *managers],
    }
    obj["status"] = {"replicas": 3}
    obj["spec"]["strategy"] = {"type": "RollingUpdate"}
    container(obj)["terminationMessagePath"] = "/dev/termination-log"
    container(obj)["resources"]["requests"] = {"cpu": 0.5, "memory": "2Gi"}
    return obj


def container(obj: Any, at: int = 0) -> Any:
    return obj["spec"]["template"]["spec"]["containers"][at]


def found(obj: Any, wanted: Any = WANTED) -> dict[str, tuple[Any, Any, str]]:
    return {
        dotted(each.path): (each.live, each.wanted, each.touch.manager if each.touch else "")
        for each in compare(wanted, obj)
    }


def by(manager: str, *path: str, **entry: str) -> dict[str, Any]:
    fields: Any = {}
    for part in reversed(path):
        fields = {part: fields}
    return {**written(manager, fields), **entry}


IN_CONTAINER = ("f:spec", "f:template", "f:spec", "f:containers", 'k:{"name":"discovery"}')


def test_defaults_and_quantities_in_another_form_are_no_drift() -> None:
    assert found(live()) == {}


def test_a_removed_variable_is_drift_although_nobody_is_named() -> None:
    obj = live()
    container(obj)["env"] = []
    (path,) = found(obj)
    assert path.endswith("containers.[discovery].env")


def test_an_added_variable_is_drift_with_its_writer() -> None:
    obj = live(by("kubectl-set", *IN_CONTAINER, "f:env", 'k:{"name":"B"}', "f:value"))
    container(obj)["env"].append({"name": "B", "value": "2"})
    path = dotted((*POD, "containers", "[discovery]", "env", "[B]"))
    assert found(obj) == {path: ({"name": "B", "value": "2"}, ABSENT, "kubectl-set")}


def test_an_added_container_is_one_difference() -> None:
    obj = live(
        by("kubectl-patch", "f:spec", "f:template", "f:spec", "f:containers", 'k:{"name":"debug"}', "f:image")
    )
    obj["spec"]["template"]["spec"]["containers"].append(
        {"name": "debug", "image": "d", "imagePullPolicy": "Always"}
    )
    assert list(found(obj)) == [dotted((*POD, "containers", "[debug]"))]


def test_a_changed_argument_is_the_whole_list() -> None:
    obj = live(by("kubectl-edit", *IN_CONTAINER, "f:args"))
    container(obj)["args"] = ["discovery", "--a", "--b"]
    path = dotted((*POD, "containers", "[discovery]", "args"))
    assert found(obj) == {path: (["discovery", "--a", "--b"], ["discovery", "--a"], "kubectl-edit")}


def test_a_removed_rule_of_a_role_is_drift() -> None:
    role: Any = {"metadata": {"name": "r"}, "rules": [{"verbs": ["get"]}, {"verbs": ["list"]}]}
    assert found({**role, "rules": role["rules"][:1]}, role) == {
        "rules": (role["rules"][:1], role["rules"], "")
    }


@pytest.mark.parametrize("manager", ["kube-controller-manager", "pilot-discovery"])
def test_what_controllers_of_kubernetes_and_istio_own_is_silent(manager: str) -> None:
    obj = live(
        by(manager, "f:spec", "f:replicas", subresource="scale"),
        by(manager, "f:metadata", "f:annotations", "f:x"),
    )
    obj["spec"]["replicas"] = 5
    obj["metadata"]["annotations"] = {"x": "y", "deployment.kubernetes.io/revision": "7"}
    assert found(obj) == {}


def test_replicas_that_a_person_set_are_drift() -> None:
    obj = live(by("kubectl", "f:spec", "f:replicas", subresource="scale"))
    obj["spec"]["replicas"] = 5
    assert found(obj) == {"spec.replicas": (5, 1, "kubectl")}


def test_a_restart_by_kubectl_is_not_taken_back() -> None:
    at = ("f:spec", "f:template", "f:metadata", "f:annotations", "f:kubectl.kubernetes.io/restartedAt")
    obj = live(by("kubectl-rollout", *at))
    obj["spec"]["template"]["metadata"] = {"annotations": {"kubectl.kubernetes.io/restartedAt": TIME}}
    assert found(obj) == {}


def test_a_label_that_a_policy_engine_added_is_drift_with_its_writer() -> None:
    obj = live(by("kyverno", "f:metadata", "f:labels", "f:team"))
    obj["metadata"]["labels"]["team"] = "a"
    assert found(obj) == {"metadata.labels.team": ("a", ABSENT, "kyverno")}


def test_a_field_that_the_api_server_drops_for_being_empty_is_no_drift() -> None:
    wanted: Any = {
        "metadata": {"name": "x", "labels": {}},
        "spec": {"a": {}, "b": [], "c": None, "d": False, "e": ""},
    }
    assert found({"metadata": {"name": "x"}, "spec": {}}, wanted) == {}


def test_an_empty_text_in_a_config_map_is_a_value() -> None:
    wanted: Any = {"metadata": {"name": "x"}, "data": {"a": "", "b": "1"}}
    assert found({"metadata": {"name": "x"}, "data": {"b": "1"}}, wanted) == {"data.a": (ABSENT, "", "")}


def test_a_number_in_a_config_map_is_not_a_quantity() -> None:
    wanted: Any = {"metadata": {"name": "x"}, "data": {"a": "1000m"}}
    assert found({"metadata": {"name": "x"}, "data": {"a": "1"}}, wanted) == {"data.a": ("1", "1000m", "")}


@pytest.mark.parametrize("key", ["k:[", "k:[1]", "k:7", "v:{", 'k:{"name": ', "k:" + "[" * 5000])
def test_managed_fields_that_no_server_writes_account_for_nothing(key: str) -> None:
    entry = {"manager": "evil", "time": "", "fieldsV1": {"f:spec": {"f:list": {key: {".": {}}}}}}
    live = {"metadata": {"managedFields": [entry]}, "spec": {"list": [{"name": "a", "v": 2}]}}
    found = compare({"metadata": {}, "spec": {"list": [{"name": "a", "v": 1}]}}, live)
    assert [each.path for each in found] == [("spec", "list", "[a]", "v")]
