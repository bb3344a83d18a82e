"""The objects of a release are put back to what helm rendered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mesh.model import ABSENT, Key, Place
from mesh.providers.chart.drift import Drift
from mesh.providers.chart.put_back import put_back, restored
from mesh.providers.chart.rendered import Rendered
from mesh.world import Object
from mesh.world.kube.errors import Call, Conflict
from mesh.world.resources import CONFIG_MAP, DEPLOYMENT
from tests.engine.every_kind import OLD, SPACE, carry_out, memory, open_session

ONE = Rendered(CONFIG_MAP, Place("ns", "one"), {})
BODY = {"items": [{"name": "a", "v": 1}, {"name": "b", "v": 2}], "data": {"x": "1"}}


@pytest.mark.parametrize(
    ("path", "wanted", "right"),
    [
        (("data", "x"), "2", {**BODY, "data": {"x": "2"}}),
        (("data", "x"), ABSENT, {**BODY, "data": {}}),
        (("data", "y"), "2", {**BODY, "data": {"x": "1", "y": "2"}}),
        (("more", "deep"), 1, {**BODY, "more": {"deep": 1}}),
        (("more", "deep"), ABSENT, BODY),
        (("items", "[b]"), ABSENT, {**BODY, "items": BODY["items"][:1]}),
        (("items", "[a]", "v"), 9, {**BODY, "items": [{"name": "a", "v": 9}, BODY["items"][1]]}),
        (("items", "[c]"), {"name": "c"}, {**BODY, "items": [*BODY["items"], {"name": "c"}]}),
        (("fresh", "[c]"), {"name": "c"}, {**BODY, "fresh": [{"name": "c"}]}),
    ],
)
def test_one_path_is_set_or_removed(path: tuple[str, ...], wanted: Any, right: Any) -> None:
    obj = {"metadata": {"name": "one", "resourceVersion": "7", "managedFields": []}, **BODY}
    found = restored(obj, [Drift(ONE, path, None, wanted)])
    assert {name: value for name, value in found.items() if name != "metadata"} == right
    assert found["metadata"]["resourceVersion"] == "7"


def test_an_object_that_is_right_is_not_written() -> None:
    obj = {"metadata": {"name": "one", "managedFields": []}, **BODY}
    assert restored(obj, [Drift(ONE, ("data", "x"), None, "1")]) is obj


def test_what_helm_leaves_is_put_back_and_what_is_right_is_not_written(tmp_path: Path) -> None:
    here = open_session(tmp_path)
    assert carry_out(here, OLD)
    kube = memory(here)
    one = kube.objects[DEPLOYMENT.plural, SPACE, "istiod"]
    before = one["spec"]
    one["spec"] = {**before, "replicas": 3, "paused": True}
    entry = {"f:spec": {"f:replicas": {}, "f:paused": {}}}
    one["metadata"]["managedFields"] = [
        {"manager": "kubectl-edit", "fieldsV1": entry, "time": "2026-01-01T00:00:00Z"}
    ]
    others = {
        where: obj
        for where, obj in kube.objects.items()
        if where[0] == DEPLOYMENT.plural and where[2] != "istiod"
    }
    put_back(Key("chart", "cluster1", "istiod"), SPACE, "istiod", (), here.world)
    assert kube.objects[DEPLOYMENT.plural, SPACE, "istiod"]["spec"] == before
    assert {where: kube.objects[where] for where in others} == others


def test_what_a_controller_writes_between_read_and_write_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = open_session(tmp_path)
    assert carry_out(here, OLD)
    kube = memory(here)
    where = (DEPLOYMENT.plural, SPACE, "istiod")
    before = kube.objects[where]["spec"]
    kube.objects[where]["spec"] = {**before, "replicas": 3}
    write = kube.replace

    def written_first(obj: Object, *, manager: str) -> Object:
        if kube.objects[where]["status"] != {"observedGeneration": 2}:
            kube.objects[where]["status"] = {"observedGeneration": 2}
            raise Conflict(Call("cluster1", "one", "replace", "deployments.apps"), "modified")
        return write(obj, manager=manager)

    monkeypatch.setattr(kube, "replace", written_first)
    put_back(Key("chart", "cluster1", "istiod"), SPACE, "istiod", (), here.world)
    assert kube.objects[where]["spec"] == before
    assert kube.objects[where]["status"] == {"observedGeneration": 2}
