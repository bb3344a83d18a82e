"""The version selects images, charts and the Gateway API; the licence has one source."""

from __future__ import annotations

from pathlib import Path

import pytest

from mesh.config.resolve.overrides import Overrides
from mesh.model import Origin
from mesh.model.spec import SecretRef
from tests.config.decoding import mesh


@pytest.mark.parametrize(
    ("version", "chart", "hub", "gateway_api"),
    [
        ("1.24.3-solo", "gloo-mesh/istio-helm-abcdef012345", "gloo-mesh/istio-abcdef012345", "v1.2.1"),
        ("1.26.1-patch0-solo", "gloo-mesh/istio-helm-abcdef012345", "gloo-mesh/istio-abcdef012345", "v1.2.1"),
        ("1.27.0-solo-fips", "gloo-mesh/istio-helm-abcdef012345", "gloo-mesh/istio-abcdef012345", "v1.3.0"),
        ("1.28.4-solo", "gloo-mesh/istio-helm-abcdef012345", "gloo-mesh/istio-abcdef012345", "v1.4.0"),
        ("1.29.2-patch0-solo", "soloio-img/istio-helm", "soloio-img/istio", "v1.4.0"),
        ("1.30.2-solo", "soloio-img/istio-helm", "soloio-img/istio", "v1.5.0"),
        ("1.31.0-rc.1-solo", "soloio-img/istio-helm", "soloio-img/istio", "v1.5.0"),
    ],
)
def test_locations_follow_from_the_version(version: str, chart: str, hub: str, gateway_api: str) -> None:
    key = "repoKey: abcdef012345, " if "abcdef" in hub else ""
    found = mesh(istio=f"{{version: {version}, {key}license: {{env: KEY}}}}")
    assert found.clusters[0].charts["istiod"].ref == f"oci://us-docker.pkg.dev/{chart}/istiod"
    assert found.clusters[0].charts["istiod"].version == version
    assert (found.hub, found.tag) == (f"us-docker.pkg.dev/{hub}", version)
    assert found.gateway_api.version == gateway_api
    assert found.gateway_api.source.endswith(f"/{gateway_api}/standard-install.yaml")


def test_licences_come_from_three_places(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("k")
    assert mesh(istio="{version: 1.30.2-solo, license: {env: KEY}}").licence.env == "KEY"
    found = mesh(istio="{version: 1.30.2-solo, license: {secretRef: {name: lic}}}").licence
    assert found.secret == SecretRef("lic", "istio-system")
    assert found.origin == Origin("mesh.yaml", 5, 42)
    assert (
        mesh(istio=f"{{version: 1.30.2-solo, license: {{file: '{tmp_path}/key'}}}}").licence.file
        == f"{tmp_path}/key"
    )


def test_what_comes_from_the_net_is_pinned() -> None:
    assert mesh().gateway_api.sha256.startswith("510338cf")
    mirror = mesh("gatewayAPI: {version: v1.4.0, source: 'https://mirror.example/standard-install.yaml'}")
    assert mirror.gateway_api.sha256.startswith("6a4029e6")
    own = mesh("gatewayAPI: {version: v1.9.0, sha256: " + "b" * 64 + "}")
    assert own.gateway_api.sha256 == "b" * 64
    elsewhere = Overrides(gateway_api="https://mirror.example/standard-install.yaml")
    found = mesh("gatewayAPI: {sha256: " + "b" * 64 + "}", overrides=elsewhere)
    assert found.gateway_api.sha256.startswith("510338cf")
