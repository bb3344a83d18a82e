"""Ambient meshes that somebody installed by hand from the real charts, with values and names of their own."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mesh.lab import Lab
from mesh.lab.istio_charts import istio_charts
from tests.conftest import lab_apart, output
from tests.e2e.hands import Mesh, home
from tests.real.upstream import with_real_charts

SYSTEM = "istio-system"
BY_HAND = {
    "cluster1": {
        "my-base": ("base", SYSTEM, ()),
        "istiod": (
            "istiod",
            SYSTEM,
            ("profile=ambient", "pilot.env.ODD=1", "meshConfig.accessLogFile=/dev/stdout"),
        ),
        "istio-cni": ("cni", "kube-system", ("profile=ambient", "logging.level=debug")),
        "ztunnel": ("ztunnel", SYSTEM, ("logLevel=debug",)),
    },
    "cluster2": {
        "istio-base": ("base", SYSTEM, ()),
        "istiod": ("istiod", SYSTEM, ("profile=ambient",)),
        "istio-cni": ("cni", SYSTEM, ("profile=ambient",)),
        "ztunnel": ("ztunnel", SYSTEM, ()),
    },
}
"""The releases of each cluster by name: chart, namespace, and what was set."""

FINAL = (
    ("cluster1", "istiod", SYSTEM, ("pilot", "env", "ODD"), 1),
    ("cluster1", "istiod", SYSTEM, ("meshConfig", "accessLogFile"), "/dev/stdout"),
    ("cluster1", "istio-cni", "kube-system", ("logging", "level"), "debug"),
    ("cluster1", "ztunnel", SYSTEM, ("logLevel",), "debug"),
)
"""What has to be there afterwards, whatever linked the clusters."""


@pytest.fixture(scope="module")
def lab(real_istio: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    assert real_istio.exists()
    with lab_apart(tmp_path_factory, "adopted", clusters=2, istio="real") as one:
        for cluster, releases in BY_HAND.items():
            for name, (chart, namespace, some) in releases.items():
                where = ("--namespace", namespace, "--create-namespace")
                given = [f"--set={each}" for each in some]
                helm(one, cluster, "install", name, str(istio_charts() / chart), *where, *given)
        yield one


@pytest.fixture(scope="module")
def mesh(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Mesh:
    one = home(lab, tmp_path_factory.mktemp("adopted-home") / "home")
    one.file.unlink()
    return with_real_charts(one)


def helm(lab: Lab, cluster: str, *args: str) -> str:
    return output(lab, ["helm", "--kube-context", cluster, *args])


def names(lab: Lab, cluster: str) -> set[str]:
    return {each["name"] for each in json.loads(helm(lab, cluster, "list", "-A", "-o", "json"))}


def values(lab: Lab, cluster: str, release: str, namespace: str) -> Any:
    return json.loads(helm(lab, cluster, "get", "values", release, "-n", namespace, "-o", "json"))


def kept(lab: Lab) -> None:
    """Whether every release has its name, and the values of its users."""
    for cluster, releases in BY_HAND.items():
        assert names(lab, cluster) == releases.keys()
    for cluster, release, namespace, path, expected in FINAL:
        found = values(lab, cluster, release, namespace)
        for key in path:
            found = found[key]
        assert found == expected


def test_what_runs_is_imported_linked_and_keeps_its_names_and_values(lab: Lab, mesh: Mesh) -> None:
    assert mesh("import", "--name", "demo").code == 0

    def linked(spec: Any) -> None:
        spec["rootOfTrust"]["migrate"] = "restart"
        spec["defaults"]["allowLoopback"] = True

    assert "allowLoopback" in mesh("plan").err
    mesh.edit(linked)
    mesh.mended("--confirm", "cluster1", "--confirm", "cluster2")
    kept(lab)
    assert values(lab, "cluster1", "istiod", SYSTEM)["global"]["multiCluster"] == {"clusterName": "cluster1"}


def test_destroy_gives_every_release_back_as_it_was(lab: Lab, mesh: Mesh) -> None:
    assert mesh("destroy", "--yes").code == 0
    kept(lab)
    assert values(lab, "cluster1", "ztunnel", SYSTEM) == {"logLevel": "debug"}


def test_the_script_keeps_names_and_values_too(lab: Lab, mesh: Mesh) -> None:
    """`mesh render` for whoever links the clusters by hand."""
    script = mesh("render")
    assert script.code == 0, script
    done = subprocess.run(
        ["bash", "-"],
        input=script.out,
        cwd=mesh.folder,
        env={**mesh.env, "PATH": f"{lab.bin}:{mesh.env['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    kept(lab)
    assert values(lab, "cluster1", "istiod", SYSTEM)["global"]["multiCluster"] == {"clusterName": "cluster1"}
