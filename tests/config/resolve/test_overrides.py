"""The command line and the environment override the mesh file."""

from __future__ import annotations

import pytest

from mesh.config.resolve.overrides import Overrides
from mesh.errors import UsageError
from tests.config.decoding import ROOT, mesh, mistakes


def test_overrides_win_over_the_file() -> None:
    given = Overrides.read(
        {"MESH_CONTEXT_B": "from-env", "MESH_CONTEXT_A": "lost", "MESH_CHART_SOURCE": "mesh/lab/charts"}
        | {"MESH_GATEWAY_API_SOURCE": "mesh/lab/charts"},
        ["a=from-option"],
    )
    found = mesh("gatewayAPI: {sha256: " + "a" * 64 + "}", overrides=given)
    assert [cluster.context for cluster in found.clusters] == ["from-option", "from-env", "c"]
    assert found.clusters[0].charts["base"].ref == str(ROOT / "mesh/lab/charts/base")
    assert (found.gateway_api.source, found.gateway_api.sha256) == (str(ROOT / "mesh/lab/charts"), "")
    assert found.digest != mesh("gatewayAPI: {sha256: " + "a" * 64 + "}").digest


def test_an_override_for_no_cluster_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="there is no cluster clutser1") as caught:
        mesh("clusters: [{name: cluster1}]", overrides=Overrides.read({}, ["clutser1=x"]))
    assert caught.value.hint == "did you mean cluster1?"
    with pytest.raises(UsageError, match="is not a valid override"):
        Overrides.read({}, ["cluster1"])


def test_a_bad_override_is_named() -> None:
    [first, *_] = mistakes(overrides=Overrides(charts="/nowhere"))
    assert first == "spec.istio.charts.source: MESH_CHART_SOURCE: no such folder: /nowhere"
    assert mistakes(overrides=Overrides(gateway_api="/nowhere")) == [
        "spec.gatewayAPI.source: MESH_GATEWAY_API_SOURCE: no such file or folder: /nowhere"
    ]
