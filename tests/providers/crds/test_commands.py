"""The commands that install the Gateway API by hand."""

from __future__ import annotations

from pathlib import Path

from mesh.config.decode import load_mesh
from mesh.model.spec import GatewayAPI
from mesh.providers.crds.commands import download, install

MESH = load_mesh(Path(__file__).resolve().parents[3] / "examples" / "two-clusters" / "mesh.yaml")
CLUSTER = MESH.clusters[0]
URL = "https://example.org/standard-install.yaml"


def test_a_pinned_bundle_is_downloaded_once_and_compared() -> None:
    api = GatewayAPI("v1.4.0", URL, sha256="sha256:0123")
    text = "".join(download(api))
    assert f"curl -fsSL {URL}" in text
    assert "does not have the pinned digest" in text
    assert '-f "$work/gateway-api.yaml"' in "".join(install(CLUSTER, api))


def test_another_bundle_is_applied_from_its_source_and_waited_for() -> None:
    api = GatewayAPI("v1.4.0", URL, safe_upgrades=True)
    assert "".join(download(api)) == ""
    text = "".join(install(CLUSTER, api))
    assert f"-f {URL}" in text
    assert "customresourcedefinitions/gateways.gateway.networking.k8s.io" in text
    assert "safe-upgrades" not in text
