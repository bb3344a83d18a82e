"""What an untrusted mesh file may name."""

from __future__ import annotations

from pathlib import Path

import pytest

from mesh.istio.versions import OFFICIAL_CHARTS
from mesh.world.untrusted import (
    checkout,
    is_allowed,
    is_untrusted,
    listed_sources,
    names_licence,
    program_path,
)


def test_the_mode_is_on_for_each_word_for_yes() -> None:
    assert [
        word for word in ("1", "true", "YES", "0", "", "no") if is_untrusted({"MESH_UNTRUSTED": word})
    ] == [
        "1",
        "true",
        "YES",
    ]
    assert not is_untrusted({})


@pytest.mark.parametrize(
    ("source", "allowed"),
    [
        ("oci://us-docker.pkg.dev/soloio-img/istio-helm", True),
        ("oci://us-docker.pkg.dev/gloo-mesh/istio-helm-0a1b2c", True),
        ("https://istio-release.storage.googleapis.com/charts", True),
        ("https://istio-release.storage.googleapis.com/charts/../evil", False),
        ("https://istio-release.storage.googleapis.com/charts-evil", False),
        ("https://istio-release.storage.googleapis.com/charts/%2e%2e/evil", False),
        ("https://istio-release.storage.googleapis.com@evil.example/charts", False),
        ("http://istio-release.storage.googleapis.com/charts", False),
        ("oci://evil.example/soloio-img/istio-helm", False),
    ],
)
def test_a_source_is_allowed_by_its_whole_address(source: str, allowed: bool) -> None:
    assert is_allowed(source, OFFICIAL_CHARTS) is allowed


def test_a_pipeline_lists_its_own_sources() -> None:
    env = {"MESH_CHART_SOURCES": "oci://mirror.example/istio/, https://charts.example"}
    assert listed_sources(env) == ("oci://mirror.example/istio", "https://charts.example")
    assert is_allowed("oci://mirror.example/istio/helm", listed_sources(env))


def test_only_a_variable_for_a_licence_is_read() -> None:
    assert names_licence("GLOO_MESH_LICENSE_KEY")
    assert names_licence("OUR_LICENCE")
    assert not names_licence("AWS_SECRET_ACCESS_KEY")


def test_the_checkout_is_the_work_tree_and_its_programs_are_not_run(tmp_path: Path) -> None:
    (tmp_path / "repo" / ".git").mkdir(parents=True)
    folder = tmp_path / "repo" / "mesh"
    folder.mkdir()
    assert checkout(folder) == tmp_path / "repo"
    path = f"/usr/bin:.::bin:{tmp_path}/repo/bin:/bin"
    assert program_path({"PATH": path}, folder) == "/usr/bin:/bin"
