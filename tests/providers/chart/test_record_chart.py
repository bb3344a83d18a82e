"""What the chart in a release's own record would add to the cluster."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from mesh.errors import KubeError
from mesh.providers.chart.record_chart import GRANTING, beyond, without_hooks
from mesh.world import HelmJob, Object
from mesh.world.kube.errors import Call, Forbidden, Missing
from mesh.world.resources import ResourceType

JOB = HelmJob("istiod", "istio-system", "chart", "", "", {})
MARKS = {"meta.helm.sh/release-name": "istiod", "meta.helm.sh/release-namespace": "istio-system"}
CALL = Call("a", "a", "get", "x")


def some(kind: str = "ClusterRoleBinding", name: str = "x", **more: Any) -> Object:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name}, **more}


def live(obj: Object, **annotations: str) -> Object:
    """The object as helm left it in the cluster."""
    return {**obj, "metadata": {**obj["metadata"], "uid": "u", "annotations": {**MARKS, **annotations}}}


@dataclass
class Cluster:
    """An API server that knows some kinds and objects, and answers a dry run with what was sent."""

    objects: dict[tuple[str, str], Object] = field(default_factory=dict)
    unserved: frozenset[str] = frozenset()
    refuses: KubeError | None = None
    asked: list[str] = field(default_factory=list)

    def resource_of(self, obj: Object) -> ResourceType:
        if obj["kind"] in self.unserved:
            raise Missing(CALL, "not served")
        return ResourceType("", "v1", obj["kind"], obj["kind"], namespaced=obj["kind"] == "ConfigMap")

    def get(self, resource: ResourceType, namespace: str, name: str) -> Object | None:
        self.asked.append(f"{resource.kind} {namespace}/{name}")
        if self.refuses:
            raise self.refuses
        return self.objects.get((resource.kind, name))

    def apply(self, obj: Object, *, dry_run: bool, **_how: Any) -> Object:
        assert dry_run
        return obj


def found(obj: Object, kube: Cluster) -> tuple[str, ...]:
    return beyond([obj], JOB, kube)  # type: ignore[arg-type]  # no more of it is used


@pytest.mark.parametrize("kind", ["ClusterRoleBinding", "DaemonSet", "ConfigMap", "Namespace"])
def test_what_does_not_exist_would_be_created(kind: str) -> None:
    assert found(some(kind), Cluster()) == (f"{kind} x, which does not exist",)
    assert found(some(kind), Cluster(unserved=frozenset({kind}))) == (f"{kind} x, which does not exist",)


def test_what_helm_left_in_the_cluster_is_nothing_new() -> None:
    one = some("ConfigMap", data={"a": "1"})
    kube = Cluster({("ConfigMap", "x"): live(one)})
    assert found({**one, "data": {"a": "2"}}, kube) == ()
    assert kube.asked == ["ConfigMap istio-system/x"]


def test_what_is_not_of_this_release_is_not_touched() -> None:
    there = live(some(), **{"meta.helm.sh/release-name": "other"})
    assert found(some(), Cluster({("ClusterRoleBinding", "x"): there})) == (
        "ClusterRoleBinding x, which exists and is not of this release",
    )


def test_what_may_not_be_read_is_not_taken_for_existing() -> None:
    (line,) = found(some(), Cluster(refuses=Forbidden(CALL, "no")))
    assert "could not be read" in line


@pytest.mark.parametrize("kind", sorted(GRANTING))
@pytest.mark.parametrize("part", ["rules", "subjects", "roleRef", "webhooks", "spec"])
def test_other_rights_in_an_object_of_the_release_are_named(kind: str, part: str) -> None:
    before, after = {**some(kind), part: [{"name": "a"}]}, {**some(kind), part: [{"name": "mallory"}]}
    kube = Cluster({(kind, "x"): live(before)})
    assert found(before, kube) == ()
    assert found(after, kube) == (f"other rights in {kind} x",)


def test_what_istiod_writes_into_its_webhooks_is_no_other_right() -> None:
    hook = {"name": "a", "clientConfig": {"service": {}}}
    there = {**hook, "failurePolicy": "Fail", "clientConfig": {"service": {}, "caBundle": "x"}}
    kube = Cluster({("ValidatingWebhookConfiguration", "x"): live(some(webhooks=[there]))})
    assert found(some("ValidatingWebhookConfiguration", webhooks=[hook]), kube) == ()


def test_a_hook_is_created_by_every_upgrade() -> None:
    hook = some("Job")
    hook["metadata"]["annotations"] = {"helm.sh/hook": "pre-upgrade"}
    assert found(hook, Cluster({("Job", "x"): live(hook)})) == ("Job x, a hook that helm runs",)
    assert without_hooks([hook, some()]) == [some()]
