"""Releases of a management plane: which are refused, and which chart and version they are upgraded to."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from mesh.providers.chart.management_plane import prepared, refuse_platform
from mesh.providers.chart.spec import ChartSpec
from mesh.world import HelmJob
from mesh.world.helm.releases import ReleaseView
from tests.providers.chart.releases import chart, live, secret, view

JOB = HelmJob("gloo", "gloo-mesh", "", "", "", {})
SPEC = ChartSpec("demo", "gloo-platform", JOB, oldest=(2, 7))
DEPENDS = chart("gloo-platform")
DEPENDS["metadata"]["dependencies"] = [{"name": "gloo-mesh-ui"}]


def refused(version: str, found: ReleaseView, ref: str = "") -> str:
    return refuse_platform(replace(SPEC, job=replace(JOB, ref=ref)), live(found, version), found)


@pytest.mark.parametrize("version", ["2.7.0", "v2.10.0", "3.0.0", "unknown"])
def test_a_release_of_an_accepted_line_is_accepted(version: str) -> None:
    assert refused(version, view()) == ""


@pytest.mark.parametrize("version", ["2.6.9", "v2.6.12", "1.99.0"])
def test_a_release_of_an_older_line_is_refused(version: str) -> None:
    assert refused(version, view()) == (
        f"gloo-platform is {version}: automatic linking needs 2.7 or newer, upgrade it first"
    )


def test_a_release_that_never_worked_is_refused() -> None:
    why = refused("2.10.0", view(secret(status="failed", release="gloo", namespace="gloo-mesh")))
    assert why == "release gloo in gloo-mesh has never been deployed: fix it with helm first"


def test_a_chart_of_which_the_release_lacks_parts_must_come_from_a_repository() -> None:
    why = refused("2.10.0", view(secret(DEPENDS, release="gloo")))
    assert why.startswith("the record of release gloo lacks the charts that gloo-platform is made of: set ")
    assert refused("2.10.0", view(secret(DEPENDS)), ref="oci://own/chart") == ""


def test_a_job_without_a_chart_gets_the_one_of_the_release() -> None:
    with prepared(JOB, live(view())) as job:
        assert Path(job.ref, "Chart.yaml").exists()
    assert not Path(job.ref).exists()
    assert replace(job, ref="") == replace(JOB, hooks=True)


@pytest.mark.parametrize(
    ("job", "version"),
    [
        (replace(JOB, ref="gloo-platform", repo="https://x"), "2.10.0"),
        (replace(JOB, ref="gloo-platform", repo="https://x", version="2.11.0"), "2.11.0"),
        (replace(JOB, ref="/own/folder"), ""),
    ],
)
def test_a_chart_of_a_repository_keeps_the_version_of_the_release(job: HelmJob, version: str) -> None:
    with prepared(job, live(view(), "2.10.0")) as found:
        assert found == replace(job, version=version)


def test_without_a_release_the_job_stays_as_it_is() -> None:
    job = replace(JOB, ref="gloo-platform", repo="https://x")
    with prepared(job, None) as found:
        assert found == job
