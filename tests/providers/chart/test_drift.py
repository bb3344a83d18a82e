"""What was changed outside helm in the objects of a release."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from mesh.model import Live, Sensitive, Touch
from mesh.providers.chart.drift import Drifts, as_changes, at, drifted, drifts, others, sides
from mesh.providers.chart.rendered import rendered
from mesh.world import Object, World
from mesh.world.clock import SystemClock
from mesh.world.helm.releases import Release
from mesh.world.kube.errors import Call, Forbidden, Missing
from mesh.world.resources import ResourceType
from mesh.world.snapshot import Snapshot
from tests.providers.chart.releases import NAMESPACE, TIME, chart, secret, view, written

MANIFEST = """\
---
# Source: ztunnel/templates/daemonset.yaml
apiVersion: apps/v1
kind: DaemonSet
metadata:
  name: ztunnel
spec:
  template:
    spec:
      containers:
      - name: istio-proxy
        image: ztunnel:1.29.1
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: reader}
rules: [{verbs: [get], resources: [pods], apiGroups: [""]}]
---
apiVersion: v1
kind: "ConfigMap"
metadata:
  name: 'settings'
data:
  mesh: "x"
---
apiVersion: example.org/v1
kind: Policy
metadata: {name: one}
spec: {mode: strict}
"""
POLICY = ResourceType("example.org", "v1", "policies", "Policy")


def release(manifest: str = MANIFEST) -> Release:
    found = view(secret(manifest=manifest)).deployed
    assert found
    return found


@dataclass
class Server:
    """An API server with the objects of the release; `drops` are fields that it does not know."""

    objects: dict[tuple[str, str], Object] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    denied: str = ""
    drops: frozenset[str] = frozenset()

    def resource_of(self, obj: Object) -> ResourceType:
        assert obj["kind"] == "Policy"
        return POLICY

    def list(self, resource: ResourceType, *, namespace: str = "", **_: Any) -> list[Object]:
        self.asked.append(f"list {resource.plural}")
        if resource.plural == self.denied:
            raise Forbidden(Call("a", "a", "list", resource.plural), "not you", status=403)
        assert bool(namespace) == resource.namespaced
        return [obj for (plural, _), obj in self.objects.items() if plural == resource.plural]

    def get(self, resource: ResourceType, _namespace: str, name: str) -> Object | None:
        self.asked.append(f"get {resource.plural}")
        return self.objects.get((resource.plural, name))

    def apply(self, obj: Object, *, manager: str, force: bool, dry_run: bool) -> Object:
        assert (manager, force, dry_run) == ("helm", True, True)
        self.asked.append(f"dry run {obj['kind']}")
        spec = {name: value for name, value in obj.get("spec", {}).items() if name not in self.drops}
        return {**obj, **({"spec": spec} if "spec" in obj else {})}


@pytest.fixture
def server() -> Server:
    found = Server()
    for each in rendered(release(), found.resource_of):
        found.objects[each.resource.plural, each.place.name] = deepcopy(dict(each.body))
    return found


def seen(server: Server, one: Release | None = None) -> Drifts:
    world = World({"a": server}, {}, SystemClock(), {}, Path())  # type: ignore[dict-item]  # what is asked of it
    return drifts(one or release(), Snapshot("a", world))


def told(server: Server, one: Release | None = None) -> tuple[dict[str, Any], dict[str, Any]]:
    return seen(server, one).sides()


def test_a_release_as_rendered_costs_one_list_a_type_and_nothing_more(server: Server) -> None:
    assert told(server) == ({}, {})
    assert sorted(server.asked) == [
        "list clusterroles",
        "list configmaps",
        "list daemonsets",
        "list policies",
    ]


def test_both_sides_are_told_with_the_writer(server: Server) -> None:
    server.objects["configmaps", "settings"]["data"]["mesh"] = "y"
    entry = written("kubectl-edit", {"f:data": {"f:mesh": {}}})
    server.objects["configmaps", "settings"]["metadata"]["managedFields"] = [entry]
    found = seen(server)
    assert found.sides() == (
        {"ConfigMap settings": {"data.mesh": "y"}},
        {"ConfigMap settings": {"data.mesh": "x"}},
    )
    assert found.touches() == (Touch(("objects", "ConfigMap settings", "data.mesh"), "kubectl-edit", TIME),)
    assert not any(each.startswith("dry run") for each in server.asked)


def test_a_removed_rule_and_a_changed_custom_resource_are_drift(server: Server) -> None:
    role = server.objects["clusterroles", "reader"]
    role["rules"] = []
    server.objects["policies", "one"]["spec"]["mode"] = "off"
    live, wanted = told(server)
    assert live == {"ClusterRole reader": {"rules": "[]\n"}, "Policy one": {"spec.mode": "off"}}
    text = '- verbs:\n  - get\n  resources:\n  - pods\n  apiGroups:\n  - ""\n'
    assert wanted == {"ClusterRole reader": {"rules": text}, "Policy one": {"spec.mode": "strict"}}


def test_a_field_that_the_api_server_does_not_know_is_no_drift(server: Server) -> None:
    server.drops = frozenset({"mode"})
    server.objects["policies", "one"]["spec"] = {}
    assert told(server) == ({}, {})


def test_of_a_chart_that_is_not_of_istio_only_edits_of_people_count(server: Server) -> None:
    found = view(secret(chart("gloo-platform"), manifest=MANIFEST)).deployed
    assert found
    server.objects["configmaps", "settings"]["data"]["mesh"] = "y"
    server.objects["policies", "one"]["spec"]["mode"] = "off"
    assert told(server, found) == ({}, {})
    entry = written("kubectl-edit", {"f:data": {"f:mesh": {}}})
    server.objects["configmaps", "settings"]["metadata"]["managedFields"] = [entry]
    assert list(told(server, found)[0]) == ["ConfigMap settings"]
    assert "list policies" not in server.asked


def test_a_deleted_object_exists_again(server: Server) -> None:
    del server.objects["clusterroles", "reader"]
    del server.objects["configmaps", "settings"]
    live, wanted = told(server)
    assert live == {"ClusterRole reader": {"exists": False}, "ConfigMap settings": {"exists": False}}
    assert wanted == {"ClusterRole reader": {"exists": True}, "ConfigMap settings": {"exists": True}}


def test_what_may_not_be_read_is_a_remark_and_hides_no_other(server: Server) -> None:
    server.denied = "clusterroles"
    server.objects["policies", "one"]["spec"]["mode"] = "off"
    found = seen(server)
    assert list(found.sides()[0]) == ["Policy one"]
    (remark,) = found.remarks()
    assert remark.startswith("clusterroles of its releases were not compared with what helm rendered: ")


def test_an_object_of_a_type_that_is_no_longer_served_is_missing(server: Server) -> None:
    class Without(Server):
        def resource_of(self, obj: Object) -> ResourceType:
            raise Missing(Call("a", "a", "get", "policies"), "not served", status=404)

    objects = {where: obj for where, obj in server.objects.items() if where[0] != "policies"}
    assert told(Without(objects))[0] == {"Policy one": {"exists": False}}


@pytest.mark.parametrize(
    "text", ["a: [", "- 1", "kind: 1\nmetadata: x", "metadata: {name: [1]}\nkind: A\napiVersion: v1"]
)
def test_a_record_that_holds_no_objects_is_no_drift_and_no_crash(text: str, server: Server) -> None:
    assert told(server, release(text)) == ({}, {})


def test_a_secret_of_a_chart_and_a_sensitive_value_are_not_shown() -> None:
    manifest = (
        "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {a: hidden}\n---\n"
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {a: open sesame}\n"
    )
    server = Server()
    server.objects["secrets", "s"] = {"metadata": {"name": "s"}, "data": {"a": "b3RoZXI="}}
    server.objects["configmaps", "c"] = {"metadata": {"name": "c"}, "data": {"a": "other"}}
    live, wanted = seen(server, release(manifest)).sides(("sesame",))
    assert "hidden" not in repr((live, wanted))
    assert isinstance(wanted["ConfigMap c"]["data.a"], Sensitive)


def test_the_notes_name_a_controller_that_may_write_again(server: Server) -> None:
    policy = server.objects["policies", "one"]
    policy["spec"]["mode"] = "off"
    policy["metadata"]["managedFields"] = [written("kyverno", {"f:spec": {"f:mode": {}}})]
    live = Live({}, "token", status={"drifts": seen(server)})
    assert [each.path for each in drifted(live)] == [("spec", "mode")]
    assert others(live) == ("kyverno wrote some of these fields, and may write them again",)
    assert sides(live, {})[1] == {"Policy one": {"spec.mode": "strict"}}
    assert [each.object for each in as_changes(live)] == ["Policy one"]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("a", "[x]", "b"), 1),
        (("a", "[y]"), None),
        (("a", "[x]", "b", "deeper"), None),
        (("other", "b"), None),
    ],
)
def test_a_path_leads_through_lists_of_named_items(path: tuple[str, ...], value: Any) -> None:
    assert at({"a": [{"name": "x", "b": 1}]}, path) == value


def test_namespaced_objects_are_looked_for_where_they_are_rendered() -> None:
    places = {each.label: each.place.namespace for each in rendered(release(), Server().resource_of)}
    assert places["ClusterRole reader"] == ""
    assert places["Policy one"] == NAMESPACE
