"""An upstream mesh has its own defaults."""

from __future__ import annotations

from tests.config.decoding import UPSTREAM, mesh


def test_an_upstream_mesh_has_defaults_of_its_own() -> None:
    found = mesh(istio=UPSTREAM)
    one = found.cluster("a")
    assert (found.hub, found.tag, found.mesh_id) == ("", "1.29.1", "prod")
    assert {each.trust_domain for each in found.clusters} == {"cluster.local"}
    assert (one.network, one.api_server, one.allow_loopback) == ("a", "", False)
    assert (one.eastwest.namespace, one.eastwest.name) == ("istio-system", "istio-eastwestgateway")
    chart = one.charts["istiod"]
    assert (chart.ref, chart.repo) == ("istiod", "https://istio-release.storage.googleapis.com/charts")
    assert (chart.version, found.gateway_api.version) == ("1.29.1", "v1.4.0")
    licence = found.licence
    assert (licence.env, licence.file, licence.secret) == ("", "", None)


def test_an_upstream_mesh_can_be_said_otherwise() -> None:
    istio = (
        "{distribution: upstream, version: 1.30.0-rc.1, meshID: mesh1, charts: {source: oci://x.example/c}}"
    )
    found = mesh(
        "defaults: {allowLoopback: true, namespaces: {istiod: mesh}}\n"
        "clusters:\n"
        '- {name: a, apiServer: "https://a.example:6443/", trustDomain: one.example}\n'
        "- {name: b, allowLoopback: false, namespaces: {eastwest: edge}, trustDomain: one.example}",
        istio=istio,
    )
    a, b = found.clusters
    assert (found.mesh_id, a.charts["cni"].ref) == ("mesh1", "oci://x.example/c/cni")
    assert (a.api_server, a.allow_loopback, b.allow_loopback) == ("https://a.example:6443", True, False)
    assert (a.eastwest.namespace, b.eastwest.namespace, a.trust_domain) == ("mesh", "edge", "one.example")
