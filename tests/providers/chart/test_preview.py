"""What an upgrade of a release would do, and a record that was written again since the plan."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mesh.errors import RefusedError
from mesh.model import Key, Live, Place
from mesh.providers.chart import ChartProvider
from mesh.providers.chart.preview import config_of, job_of, preview_upgrade, refuse_more
from mesh.providers.chart.spec import ChartSpec
from mesh.world import HelmJob, Object, World
from mesh.world.clock import SystemClock
from mesh.world.resources import ResourceType
from tests.providers.chart.releases import chart, live, secret, view
from tests.support.check_server import Server

KEY = Key("chart", "a", "gloo-platform")
JOB = HelmJob("gloo", "gloo-mesh", "", "", "", {})
SPEC = ChartSpec("demo", "gloo-platform", JOB, adopt=True)
FOUND = replace(
    live(view(secret(chart("gloo-platform"), release="gloo", namespace="gloo-mesh", config={"a": 1}))),
    attrs={"version": "2.10.0", "values": {"a": 1}},
    place=Place("gloo-mesh", "gloo"),
)
BINDING = {"apiVersion": "v1", "kind": "ClusterRoleBinding", "metadata": {"name": "evil"}}
EVIL = "ClusterRoleBinding evil, which does not exist"


class Empty(Server):
    """An API server without any object."""

    def resource_of(self, obj: Object) -> ResourceType:
        return ResourceType("", "v1", obj["kind"], obj["kind"], namespaced=False)

    def get(self, *_where: str) -> Object | None:
        return None


class Renders:
    """A helm in memory that renders one binding."""

    def pinned(self, job: HelmJob) -> tuple[HelmJob, str]:
        return job, "sha256:bytes"

    def template(self, job: HelmJob, **_how: Any) -> list[Object]:
        assert job.hooks is not job.ref.startswith("oci:"), "of a record, the hooks are looked at too"
        return [BINDING]


def world() -> World:
    kubes: dict[str, Any] = {"a": Empty(paths={"/version": {"gitVersion": "v1.33.1"}})}
    helms: dict[str, Any] = {"a": Renders()}
    return World(kubes, helms, SystemClock(), {}, Path())


def test_an_adopted_release_keeps_its_name_and_its_values() -> None:
    other = replace(FOUND, place=Place("other", "mine"))
    assert (job_of(SPEC, other).release, job_of(SPEC, other).namespace) == ("mine", "other")
    assert job_of(SPEC, None) == job_of(replace(SPEC, adopt=False), other) == JOB
    assert (config_of(FOUND), config_of(None)) == ({"a": 1}, {})


def test_only_a_chart_from_the_record_is_compared_with_the_cluster() -> None:
    assert preview_upgrade(SPEC, KEY, FOUND, world()).beyond == (EVIL,)
    named = replace(SPEC, job=replace(JOB, ref="oci://own/chart"))
    assert preview_upgrade(named, KEY, FOUND, world()).beyond == ()


def test_a_record_that_was_written_again_since_the_plan_is_refused_right_before_the_step() -> None:
    job = replace(JOB, ref="folder", hooks=True)
    with pytest.raises(RefusedError, match=EVIL):
        refuse_more(SPEC, KEY, job, FOUND, world())
    refuse_more(replace(SPEC, new_objects=True), KEY, job, FOUND, world())
    refuse_more(replace(SPEC, job=replace(JOB, ref="oci://own/chart")), KEY, job, FOUND, world())


def test_a_chart_that_is_not_unpacked_puts_the_step_off() -> None:
    hostile = secret(chart("gloo-platform", files=[{"name": "/etc/x", "data": ""}]), release="gloo")
    found: Live = replace(FOUND, status={**FOUND.status, "view": view(hostile)})
    assert "outside its chart" in ChartProvider().preview(SPEC, KEY, found, world()).unknown
