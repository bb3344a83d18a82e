"""Clusters get defaults, and override them."""

from __future__ import annotations

from tests.config.decoding import ROOT, mesh


def test_defaults_follow_from_the_name_and_the_version() -> None:
    one = mesh("clusters: [{name: east}]").cluster("east")
    assert (one.context, one.cluster_name, one.network, one.trust_domain) == (
        "east",
        "east",
        "east",
        "east.local",
    )
    assert (one.namespace, one.eastwest.namespace, one.eastwest.service) == (
        "istio-system",
        "istio-eastwest",
        "LoadBalancer",
    )
    assert {name: (chart.release, chart.namespace) for name, chart in one.charts.items()} == {
        "base": ("istio-base", "istio-system"),
        "istiod": ("istiod", "istio-system"),
        "cni": ("istio-cni", "istio-system"),
        "ztunnel": ("ztunnel", "istio-system"),
    }


def test_a_cluster_says_otherwise_than_the_defaults() -> None:
    found = mesh("""
defaults: {kubeconfig: kc, region: eu, eastwest: {service: NodePort}, namespaces: {ztunnel: kube-system}}
clusters:
- {name: a, namespaces: {istiod: mesh}, region: us, zone: z1, eastwest: {service: LoadBalancer}}
- {name: b, kubeconfig: /else, network: net, clusterName: c, trustDomain: t.example, context: ctx}
""")
    a, b = found.clusters
    assert (a.kubeconfig, a.eastwest.region, a.eastwest.zone, a.eastwest.service) == (
        str(ROOT / "kc"),
        "us",
        "z1",
        "LoadBalancer",
    )
    assert {name: chart.namespace for name, chart in a.charts.items()} == {
        "base": "mesh",
        "istiod": "mesh",
        "cni": "mesh",
        "ztunnel": "kube-system",
    }
    assert (b.kubeconfig, b.context, b.cluster_name, b.network, b.trust_domain) == (
        "/else",
        "ctx",
        "c",
        "net",
        "t.example",
    )
    assert b.eastwest.service == "NodePort"
