"""A release that is given back keeps its chart, with the values of its owner only."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mesh.model import Action, Key, Live, Place
from mesh.providers.chart.give_back import preview_back, returned
from mesh.providers.chart.upgrade import EFFECT
from mesh.sdk.contract import Last, Preview
from mesh.world import HelmJob, Object, World
from mesh.world.clock import SystemClock
from mesh.world.resources import ResourceType
from mesh.world.yaml_documents import write
from tests.providers.chart.releases import chart, live, secret, view
from tests.support.check_server import Server

KEY = Key("chart", "a", "istiod")
LAST = Last(
    Place("istio-system", "istiod"),
    fields={"values.pilot.replicas": "d", "values.env": "d"},
    theirs=frozenset({"values.env"}),
    created=False,
)


def deployment(image: str) -> Object:
    containers = [{"name": "discovery", "image": image, "env": [{"name": "TOKEN", "value": image}]}]
    meta = {"name": "istiod", "namespace": "istio-system"}
    spec = {"template": {"spec": {"containers": containers}}}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": spec}


def adopted() -> Live:
    config = {"pilot": {"replicas": 3, "cpu": 1}, "env": "x"}
    revision = secret(chart(values={"a": 1}), config=config, manifest=write(deployment("old")))
    return live(view(revision))


class Renders:
    """A helm in memory: it renders one object, and keeps how it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[HelmJob, str, bool]] = []

    def template(self, job: HelmJob, *, kube_version: str, upgrade: bool) -> list[Object]:
        assert json.loads((Path(job.ref) / "values.yaml").read_text()) == {"a": 1}
        self.asked.append((job, kube_version, upgrade))
        return [deployment("new")]


@dataclass
class Release(Server):
    """An API server with the objects of a release, unless they are gone."""

    gone: bool = False

    def resource_of(self, obj: Object) -> ResourceType:
        return ResourceType("", "v1", obj["kind"].lower(), obj["kind"])

    def get(self, _resource: ResourceType, namespace: str, name: str) -> Object | None:
        marks = {"meta.helm.sh/release-name": "istiod", "meta.helm.sh/release-namespace": "istio-system"}
        meta = {"name": name, "namespace": namespace, "annotations": marks}
        return None if self.gone else {"metadata": meta}


def world(helm: Any, *, gone: bool = False) -> World:
    server = Release(paths={"/version": {"gitVersion": "v1.33.1"}}, gone=gone)
    kubes: dict[str, Any] = {"a": server}
    return World(kubes, {"a": helm}, SystemClock(), {}, Path())


def test_the_values_that_only_mesh_set_are_left_out_and_the_chart_is_the_one_of_the_release() -> None:
    with returned(adopted(), LAST) as job:
        assert job.values == {"pilot": {"cpu": 1}, "env": "x"}
        assert (job.release, job.namespace, job.repo, job.version) == ("istiod", "istio-system", "", "")
        assert Path(job.ref, "Chart.yaml").exists()
    assert not Path(job.ref).exists()


def test_the_preview_names_what_changes_without_the_values_and_its_effect_on_traffic() -> None:
    helm = Renders()
    found = preview_back(KEY, adopted(), LAST, world(helm))
    ((job, version, upgrade),) = helm.asked
    assert (job.values, version, upgrade) == ({"pilot": {"cpu": 1}, "env": "x"}, "v1.33.1", True)
    assert EFFECT["istiod"] in found.notes
    assert [(each.action, each.fields) for each in found.manifests] == [(Action.UPDATE, ())]
    assert found.beyond == ()
    assert job.hooks, "an upgrade runs them, so they are looked at"


def test_the_preview_names_what_the_chart_creates_that_the_cluster_does_not_have() -> None:
    found = preview_back(KEY, adopted(), LAST, world(Renders(), gone=True))
    assert found.beyond == ("Deployment istio-system/istiod, which does not exist",)


def test_a_chart_that_is_not_unpacked_puts_the_step_off_and_ends_no_plan() -> None:
    hostile = chart(templates=[{"name": "../x", "data": ""}])
    found = preview_back(KEY, live(view(secret(hostile))), LAST, world(None))
    assert "it holds a file outside its chart" in found.unknown


@pytest.mark.parametrize("found", [Live({}, "", status={"view": None}), live(view(secret(status="failed")))])
def test_what_never_worked_has_nothing_to_preview(found: Live) -> None:
    assert preview_back(KEY, found, LAST, world(None)) == Preview()
