"""Over several minor versions: where a run stops on the way."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from mesh.config.decode import load_mesh
from mesh.model import Found, Key, Live, Unread
from mesh.planner.upgrade_path import way

TEXT = """apiVersion: mesh/v1
kind: Mesh
metadata: {name: prod}
spec:
  istio: {version: 1.31.0-solo, through: [1.29.3-solo, 1.30.2-solo], license: {env: KEY}}
  clusters: [{name: a}, {name: b}]
"""


def found(**versions: str) -> dict[Key, Found]:
    return {
        Key("chart", name, "istiod"): Live({"version": version}, "") for name, version in versions.items()
    }


@pytest.mark.parametrize(
    ("there", "stops"),
    [
        ({}, ["1.31.0-solo"]),
        ({"a": "1.28.0-solo"}, ["1.29.3-solo", "1.30.2-solo", "1.31.0-solo"]),
        ({"a": "1.29.0-solo"}, ["1.30.2-solo", "1.31.0-solo"]),
        ({"a": "1.30.2-solo", "b": "1.29.3-solo"}, ["1.30.2-solo", "1.31.0-solo"]),
        ({"a": "1.31.0-solo", "b": "1.31.0-solo"}, ["1.31.0-solo"]),
        ({"a": "none of ours"}, ["1.31.0-solo"]),
    ],
)
def test_a_run_stops_at_each_version_that_the_oldest_release_has_before_it(
    tmp_path: Path, there: dict[str, str], stops: list[str]
) -> None:
    path = tmp_path / "mesh.yaml"
    path.write_text(TEXT)
    mesh = load_mesh(path)
    assert list(way(mesh, found(**there))) == stops


def test_what_cannot_be_read_and_what_is_not_istio_is_not_looked_at(tmp_path: Path) -> None:
    path = tmp_path / "mesh.yaml"
    path.write_text(TEXT)
    away: dict[Key, Found] = {Key("chart", "a", "istiod"): Unread("it does not answer")}
    other: dict[Key, Found] = {Key("chart", "a", "gloo-platform"): Live({"version": "2.7.0"}, "")}
    for seen in (away, other):
        assert way(replace(load_mesh(path), clusters=()), seen) == ("1.31.0-solo",)
