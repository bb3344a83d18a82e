"""One API server, a real one, in raw objects."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mesh.lab import Lab
from mesh.world import Object
from mesh.world.kube.client import ApiServer, Patience, connect
from mesh.world.kube.errors import (
    AlreadyExists,
    Cause,
    Conflict,
    Forbidden,
    Invalid,
    Missing,
    Unauthorized,
    Unreachable,
    WebhookDenied,
)
from mesh.world.resources import CONFIG_MAP, NAMESPACE, NODE, SECRET, ResourceType

Kubectl = Callable[..., str]


@pytest.fixture
def kube(lab: Lab) -> ApiServer:
    return connect([("one", "cluster1", "")], {**os.environ, **lab.environment()})["one"]


@pytest.fixture
def namespace(kubectl: Kubectl, request: pytest.FixtureRequest) -> Iterator[str]:
    name = f"kube-{abs(hash(request.node.name)) % 10**8}"
    kubectl("cluster1", "create", "namespace", name)
    yield name
    kubectl("cluster1", "delete", "namespace", name, "--wait=false")


def config_map(namespace: str, name: str = "cm", **data: str) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": namespace},
        "data": data,
    }


def secret(namespace: str, **data: str) -> Object:
    metadata = {"name": "s", "namespace": namespace}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data}


def test_nothing_is_sent_before_the_first_call(kube: ApiServer) -> None:
    assert not kube.requests
    assert kube.get_path("/version")["gitVersion"].startswith("v1.")
    assert kube.requests == {("get", "/version"): 1}


def test_an_applied_object_reads_back_with_every_character(kube: ApiServer, namespace: str) -> None:
    text = "smile 😀, é, \\\\/ \" ' \u2028 \x85 \ufeff \x7f <&> \t end"
    applied = kube.apply(config_map(namespace, x=text), manager="mesh/test")
    assert applied["data"] == {"x": text}
    found = kube.get(CONFIG_MAP, namespace, "cm")
    assert found is not None
    assert found["data"] == {"x": text}
    assert found["metadata"]["managedFields"][0]["manager"] == "mesh/test"


def test_applying_twice_changes_nothing(kube: ApiServer, namespace: str) -> None:
    versions = {
        kube.apply(config_map(namespace, x="1"), manager="mesh/test")["metadata"]["resourceVersion"]
        for _ in range(2)
    }
    assert len(versions) == 1


def test_a_dry_run_writes_nothing(kube: ApiServer, namespace: str) -> None:
    assert kube.apply(config_map(namespace, x="1"), manager="mesh/test", dry_run=True)["data"] == {"x": "1"}
    assert kube.get(CONFIG_MAP, namespace, "cm") is None
    assert kube.requests["apply?dry", "configmaps"] == 1
    assert kube.requests["apply", "configmaps"] == 0


def test_a_field_of_somebody_else_is_a_conflict_that_names_both(
    kube: ApiServer, kubectl: Kubectl, namespace: str
) -> None:
    kube.apply(config_map(namespace, x="1", y="1"), manager="mesh/test")
    kubectl("cluster1", "-n", namespace, "patch", "cm", "cm", "-p", '{"data":{"x":"2"}}')
    with pytest.raises(Conflict) as error:
        kube.apply(config_map(namespace, x="1", y="1"), manager="mesh/test")
    assert error.value.causes == (Cause("kubectl-patch", "data.x", 'conflict with "kubectl-patch" using v1'),)
    assert "cluster one (context cluster1)" in error.value.message
    forced = kube.apply(config_map(namespace, x="1", y="1"), manager="mesh/test", force=True)
    assert forced["data"]["x"] == "1"


def test_a_uid_in_an_applied_object_must_be_that_of_the_live_one(kube: ApiServer, namespace: str) -> None:
    obj = config_map(namespace, x="1")
    gone = {**obj, "metadata": {**obj["metadata"], "uid": "11111111-1111-1111-1111-111111111111"}}
    with pytest.raises(Conflict):
        kube.apply(gone, manager="mesh/test")
    kube.apply(obj, manager="mesh/test")
    with pytest.raises(Conflict, match="not the object that was read"):
        kube.apply(gone, manager="mesh/test")


def test_what_exists_is_not_created_again(kube: ApiServer, namespace: str) -> None:
    kube.create(config_map(namespace, x="1"), manager="mesh/test")
    with pytest.raises(AlreadyExists):
        kube.create(config_map(namespace, x="1"), manager="mesh/test")


def test_a_replacement_of_something_older_is_a_conflict(kube: ApiServer, namespace: str) -> None:
    read = kube.create(config_map(namespace, x="1"), manager="mesh/test")
    assert kube.replace({**read, "data": {"x": "2"}}, manager="mesh/test")["data"] == {"x": "2"}
    with pytest.raises(Conflict) as error:
        kube.replace({**read, "data": {"x": "3"}}, manager="mesh/test")
    assert error.value.causes == ()


def test_deleting_takes_the_uid_and_may_be_done_twice(kube: ApiServer, namespace: str) -> None:
    uid = kube.create(config_map(namespace, x="1"), manager="mesh/test")["metadata"]["uid"]
    with pytest.raises(Conflict):
        kube.delete(CONFIG_MAP, namespace, "cm", uid="11111111-1111-1111-1111-111111111111")
    assert kube.delete(CONFIG_MAP, namespace, "cm", uid=uid)
    assert not kube.delete(CONFIG_MAP, namespace, "cm", uid=uid)


def test_a_list_is_read_page_by_page(
    kube: ApiServer, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mesh.world.kube.client.PAGE", 3)
    for number in range(7):
        kube.create(config_map(namespace, f"cm-{number}", x="1"), manager="mesh/test")
    found = kube.list(CONFIG_MAP, namespace=namespace)
    names = {item["metadata"]["name"] for item in found}
    assert names >= {f"cm-{number}" for number in range(7)}
    assert len(found) == len(names)
    assert kube.requests["list", "configmaps"] >= 3
    assert {(item["apiVersion"], item["kind"]) for item in found} == {("v1", "ConfigMap")}


def test_a_list_can_be_narrowed_and_reduced_to_metadata(kube: ApiServer, namespace: str) -> None:
    obj = config_map(namespace, x="1")
    kube.create({**obj, "metadata": {**obj["metadata"], "labels": {"a": "b"}}}, manager="mesh/test")
    kube.create(config_map(namespace, "other", x="1"), manager="mesh/test")
    (one,) = kube.list(CONFIG_MAP, namespace=namespace, labels="a=b", metadata_only=True)
    assert one["metadata"]["labels"] == {"a": "b"}
    assert "data" not in one
    (one,) = kube.list(CONFIG_MAP, namespace=namespace, fields="metadata.name=other")
    assert one["data"] == {"x": "1"}


def test_what_is_not_served_reads_as_not_there(kube: ApiServer) -> None:
    nothing = ResourceType("nowhere.test", "v1", "things", "Thing")
    assert kube.list(nothing) == []
    assert kube.get(nothing, "default", "x") is None
    with pytest.raises(Missing):
        kube.get_path("/apis/nowhere.test/v1")
    with pytest.raises(Missing, match=r"find Thing of nowhere.test/v1"):
        kube.resource_of({"apiVersion": "nowhere.test/v1", "kind": "Thing"})


def test_a_kind_outside_the_table_is_found_by_asking_once(kube: ApiServer) -> None:
    for _ in range(2):
        found = kube.resource_of({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress"})
        assert found == ResourceType("networking.k8s.io", "v1", "ingresses", "Ingress")
    assert kube.requests == {("get", "/apis/networking.k8s.io/v1"): 1}
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole"}
    assert not kube.resource_of(role).namespaced


def test_a_kind_that_came_since_is_found(kube: ApiServer, kubectl: Kubectl) -> None:
    group = "came-since.test"
    thing = {"apiVersion": f"{group}/v1", "kind": "Thing", "metadata": {"name": "x", "namespace": "default"}}
    with pytest.raises(Missing):
        kube.apply(thing, manager="mesh/test")
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
    }
    crd = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"things.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"plural": "things", "kind": "Thing"},
            "versions": [version],
        },
    }
    kube.apply(crd, manager="mesh/test")
    try:
        kubectl("cluster1", "wait", "--for=condition=Established", f"crd/things.{group}")
        kubectl("cluster1", "get", "things", "-A")
        assert kube.apply(thing, manager="mesh/test")["kind"] == "Thing"
    finally:
        kubectl("cluster1", "delete", "crd", f"things.{group}")


@pytest.mark.parametrize("spec", [{"ports": [{"port": 1000000}]}, {"portz": []}, {"ports": "x"}])
def test_an_object_that_does_not_fit_is_invalid_at_once(
    kube: ApiServer, namespace: str, spec: dict[str, object]
) -> None:
    service = {**config_map(namespace), "kind": "Service", "spec": spec}
    del service["data"]
    with pytest.raises(Invalid, match="port"):
        kube.apply(service, manager="mesh/test")


def test_no_error_repeats_what_is_in_a_secret(kube: ApiServer, namespace: str) -> None:
    value = base64.b64encode(b"hunter2").decode()
    attempts = (
        secret(namespace, a="hunter2!"),
        {**secret(namespace, **{"no/such/key": value}), "type": "hunter2"},
        {**secret(namespace, a=value), "hunter2": "x"},
        {**secret(namespace, a=value), "type": "kubernetes.io/tls"},
    )
    for attempt in attempts:
        with pytest.raises((Invalid, Conflict)) as error:
            kube.apply(attempt, manager="mesh/test")
        assert "hunter2" not in f"{error.value} {error.value.hint}"
        assert value not in str(error.value)


def test_a_policy_that_says_no_is_told_in_its_words(kube: ApiServer, namespace: str) -> None:
    name = f"deny-{namespace}"
    policy = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": name},
        "spec": {
            "failurePolicy": "Fail",
            "matchConstraints": {
                "resourceRules": [
                    {
                        "apiGroups": [""],
                        "apiVersions": ["v1"],
                        "operations": ["CREATE"],
                        "resources": ["configmaps"],
                    }
                ]
            },
            "validations": [{"expression": "object.metadata.name != 'evil'", "message": "no evil here"}],
        },
    }
    binding = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": name},
        "spec": {"policyName": name, "validationActions": ["Deny"]},
    }
    kube.apply(policy, manager="mesh/test")
    kube.apply(binding, manager="mesh/test")
    try:
        for _ in range(600):
            try:
                kube.apply(config_map(namespace, "evil"), manager="mesh/test", dry_run=True)
            except WebhookDenied as error:
                assert "no evil here" in error.message
                break
        else:
            pytest.fail("the policy never said no")
    finally:
        for one in (binding, policy):
            kube.delete(kube.resource_of(one), "", name)


def test_an_identity_without_rights_is_told_what_it_may_not(lab: Lab, tmp_path: Path) -> None:
    config = json.loads(Path(lab.environment()["KUBECONFIG"]).read_text())
    for user in config["users"]:
        user["user"] |= {"as": "nobody", "as-groups": ["system:authenticated"]}
    (tmp_path / "config").write_text(json.dumps(config))
    kube = connect([("one", "cluster1", str(tmp_path / "config"))], {})["one"]
    with pytest.raises(Forbidden) as error:
        kube.list(SECRET, namespace="default")
    assert (error.value.verb, error.value.resource) == ("list", "secrets")
    assert 'User "nobody"' in error.value.message


def test_without_credentials_we_are_not_known(lab: Lab, tmp_path: Path) -> None:
    config = json.loads(Path(lab.environment()["KUBECONFIG"]).read_text())
    config["users"] = [{"name": user["name"], "user": {"token": "nonsense"}} for user in config["users"]]
    (tmp_path / "config").write_text(json.dumps(config))
    kube = connect([("one", "cluster1", str(tmp_path / "config"))], {})["one"]
    with pytest.raises(Unauthorized) as error:
        kube.list(NODE)
    assert "nonsense" not in error.value.message


def test_the_certificate_of_another_cluster_is_not_trusted(lab: Lab, tmp_path: Path) -> None:
    config = json.loads(Path(lab.environment()["KUBECONFIG"]).read_text())
    one, two = (entry["cluster"] for entry in config["clusters"][:2])
    one["certificate-authority-data"] = two["certificate-authority-data"]
    (tmp_path / "config").write_text(json.dumps(config))
    kube = connect([("one", "cluster1", str(tmp_path / "config"))], {})["one"]
    with pytest.raises(Unreachable, match=r"TLS with https://127.0.0.1:\d+ failed"):
        kube.list(NAMESPACE)


@pytest.mark.parametrize(("name", "fits"), [("kubernetes.default.svc", True), ("elsewhere.test", False)])
def test_tls_server_name_is_the_name_that_the_certificate_must_show(
    lab: Lab, tmp_path: Path, name: str, fits: bool
) -> None:
    config = json.loads(Path(lab.environment()["KUBECONFIG"]).read_text())
    for entry in config["clusters"]:
        entry["cluster"]["tls-server-name"] = name
    (tmp_path / "config").write_text(json.dumps(config))
    kube = connect([("one", "cluster1", str(tmp_path / "config"))], {}, patience=Patience())["one"]
    if fits:
        assert kube.list(NAMESPACE)
        return
    with pytest.raises(Unreachable, match="TLS"):
        kube.list(NAMESPACE)
