"""Automatic linking: the releases of the management plane and their commands."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mesh.istio.management_plane import REPOSITORY, install, located, parts, register
from mesh.model.spec import Automatic
from tests.support.meshes import mesh_of

MESH = mesh_of("automatic")
HERE = Automatic("b")


def test_the_management_cluster_comes_first_and_alone_has_the_platform() -> None:
    found = [(part.cluster.name, part.chart) for part in parts(MESH, HERE)]
    assert found == [
        ("b", "gloo-platform-crds"),
        ("b", "gloo-platform"),
        ("a", "gloo-platform-crds"),
        ("c", "gloo-platform-crds"),
    ]


def test_the_distribution_is_turned_on_in_the_management_cluster() -> None:
    on = [part.values.get("featureGates") for part in parts(MESH, HERE)]
    assert on == [{"ConfigDistribution": True}] * 2 + [None] * 2


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("", ("", "")),
        ("oci://registry.example/charts", ("oci://registry.example/charts/x", "")),
        ("https://charts.example", ("x", "https://charts.example")),
    ],
)
def test_a_chart_is_a_reference_or_a_name_in_a_repository(source: str, found: tuple[str, str]) -> None:
    assert located(source, "x") == found


@pytest.mark.parametrize("source", ["", "https://charts.example"])
def test_the_install_command_names_repository_namespace_and_context(source: str) -> None:
    cluster = replace(MESH.clusters[0], context="ctx-a")
    assert install(Automatic("b", "plane", source), cluster, "gloo-platform") == (
        f"helm install gloo-platform gloo-platform --repo {source or REPOSITORY} --namespace plane "
        "--create-namespace --kube-context ctx-a"
    )


def test_a_cluster_is_registered_by_its_istio_name_at_the_management_cluster() -> None:
    one, two = replace(MESH.clusters[0], context="ctx-a"), MESH.clusters[1]
    command = register(one, replace(two, cluster_name="east", context="ctx-b"))
    assert command.startswith("meshctl cluster register east --kubecontext ctx-a --remote-context ctx-b ")
