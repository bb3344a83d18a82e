"""What is visible of a release of which the Secret may not be read."""

from __future__ import annotations

from typing import Any

import pytest

from mesh.model import Place, Touch
from mesh.model.diff import digest
from mesh.providers.chart.visible_state import visible_state
from mesh.sdk.contract import Last
from mesh.sdk.unreadable import VisibleState
from mesh.world import Object
from tests.providers.chart.releases import NAMESPACE, TIME, workload, written
from tests.support.check_server import Server, snapshot

PLACE = Place(NAMESPACE, "istiod")
IMAGE = 'k:{"name":"discovery"}'
STATUS = {"updatedReplicas": 1, "availableReplicas": 1, "replicas": 1}


def fields(*names: str, item: str = IMAGE) -> dict[str, Any]:
    inner = {"f:containers": {item: {name: {} for name in names}}}
    return {"f:spec": {"f:template": {"f:spec": inner}}}


def deployment(*managers: dict[str, Any], label: str = "istiod-1.29.1", image: str = "x") -> Object:
    spec = {"template": {"spec": {"containers": [{"name": "discovery", "image": image}]}}}
    return workload("istiod", *managers, label=label, spec={"replicas": 1, **spec}, status=STATUS)


def visible(*deployments: Object, chart: str = "istiod", version: str = "1.29.1") -> VisibleState:
    last = Last(PLACE, {"version": digest(version)}, uid="uid", outputs={"revision": 3})
    return visible_state(chart, PLACE, last, snapshot(Server({"deployments": list(deployments)})))


def test_what_is_as_the_last_apply_left_it_has_its_state_and_nothing_strange() -> None:
    seen, strange = visible(deployment(written("helm", fields("f:image"))))
    assert strange == {}
    assert (seen.uid, seen.outputs, seen.attrs) == ("uid", {"revision": 3}, {"version": "1.29.1"})
    assert seen.status == {"view": None, "others": [], "nodes": 0, "troubles": [], "published": {}}


@pytest.mark.parametrize(
    ("label", "version"),
    [
        ("istiod-1.30.0", "1.30.0"),
        ("istiod-1.29.1_solo", "1.29.1+solo"),
        ("istiod-1.29.1", ""),
        ("other-1.30.0", ""),
        ("", ""),
    ],
)
def test_another_version_in_the_label_of_the_chart_is_strange(label: str, version: str) -> None:
    assert visible(deployment(label=label)).strange == ({"version": version} if version else {})


def test_a_field_that_helm_no_longer_holds_was_changed_by_hand() -> None:
    by = written("kubectl-edit", fields("f:image"))
    seen, strange = visible(deployment(by, image="debug"))
    path = "spec.template.spec.containers.[discovery].image"
    assert strange == {"objects": {"Deployment istiod": {path: "debug"}}}
    assert seen.touches == (Touch(("objects", "Deployment istiod", path), "kubectl-edit", TIME),)


@pytest.mark.parametrize(
    "managers",
    [
        (written("kubectl", fields("f:image")), written("helm", fields("f:image"))),
        (written("kubectl", {"f:spec": {"f:replicas": {}}}),),
        (written("some-controller", fields("f:image")),),
        (written("kubectl", fields("f:name", "f:image", item='k:{"name":"added"}')),),
    ],
    ids=["helm holds it too", "not a part of the rendering", "a controller", "a container was added"],
)
def test_what_the_chart_did_not_lose_is_not_strange(managers: tuple[dict[str, Any], ...]) -> None:
    assert visible(deployment(*managers)).strange == {}


def test_a_release_without_any_workload_lost_them_unless_its_chart_has_none() -> None:
    gone = {f"every workload of {NAMESPACE}/istiod": {"there": False}}
    assert visible().strange == {"objects": gone}
    assert visible(chart="base").strange == {}
