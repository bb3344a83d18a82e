"""A release that is given back keeps its chart, with the values of its owner only."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mesh.model import Action, Key, Live, Place
from mesh.providers.chart.give_back import preview_back, returned
from mesh.providers.chart.upgrade import EFFECT
from mesh.sdk.contract import Last, Preview
from mesh.world import HelmJob, Object, World
from mesh.world.clock import SystemClock
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


def world(helm: Any) -> World:
    server = Server(paths={"/version": {"gitVersion": "v1.33.1"}})
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


@pytest.mark.parametrize("found", [Live({}, "", status={"view": None}), live(view(secret(status="failed")))])
def test_what_never_worked_has_nothing_to_preview(found: Live) -> None:
    assert preview_back(KEY, found, LAST, world(None)) == Preview()
