"""What an upgrade does to traffic, by the manifests that it changes."""

from __future__ import annotations

import pytest

from mesh.model import Action, Field, ManifestChange, Path
from mesh.providers.chart.upgrade import EFFECT, GATEWAY_TOO, traffic

POD = ("spec", "template", "spec", "containers", "[discovery]")
CHART = ("spec", "template", "metadata", "labels", "helm.sh/chart")


def changed(*paths: Path, name: str = "Deployment istio-system/istiod") -> tuple[ManifestChange, ...]:
    return (ManifestChange(name, Action.UPDATE, tuple(Field(path, 1, 2) for path in paths)),)


@pytest.mark.parametrize("path", [(*POD, "image"), CHART])
def test_an_istiod_of_another_version_or_image_makes_its_gateway_anew(path: Path) -> None:
    assert traffic("istiod", 2, changed(path)) == (EFFECT["istiod"], GATEWAY_TOO)


def test_a_setting_of_istiod_moves_no_gateway() -> None:
    assert traffic("istiod", 2, changed((*POD, "env", "[X]", "value"))) == (EFFECT["istiod"],)


def test_another_image_of_ztunnel_moves_no_gateway() -> None:
    found = traffic("ztunnel", 3, changed((*POD, "image"), name="DaemonSet istio-system/ztunnel"))
    assert found == (EFFECT["ztunnel"].format(nodes=3),)


@pytest.mark.parametrize(
    "change",
    [
        changed(("spec", "replicas")),
        changed(("data", "mesh"), name="ConfigMap istio-system/istio"),
        (ManifestChange("Deployment istio-system/istiod", Action.CREATE),),
    ],
)
def test_what_restarts_no_pod_is_felt_by_nobody(change: tuple[ManifestChange, ...]) -> None:
    assert traffic("istiod", 2, change) == ()
