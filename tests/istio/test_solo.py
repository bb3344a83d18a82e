"""What the guides say, field for field; and that nothing computed can be set by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from mesh.config.decode import decode
from mesh.config.source.load import parse
from mesh.istio import of
from mesh.istio.computed_values import COMPUTED
from mesh.istio.overlay import overlay
from mesh.istio.solo import computed, documented, peer_gateway
from mesh.istio.versions import CHARTS, GATEWAY_API, GATEWAY_API_DIGESTS, OLDEST, Version, since
from mesh.model import Key, Unknown
from mesh.model.refs import Ref
from mesh.model.spec import COMPONENTS, Mesh, SecretRef

REPO, IMAGE = "us-docker.pkg.dev/soloio-img/istio", "1.30.2-solo"
LICENCE = SecretRef("solo-istio-license", "istio-system")


def mesh(
    version: str = IMAGE, clusters: str = "[{name: cluster1}, {name: cluster2}]", istio: str = ""
) -> Mesh:
    old = "charts: {source: oci://x.example}, images: {hub: x.example}, " if version < "1.29" else ""
    text = f"""
apiVersion: mesh/v1
kind: Mesh
metadata: {{name: prod}}
spec:
  istio: {{version: {version}, {old}{istio}license: {{env: KEY}}}}
  clusters: {clusters}
"""
    return decode(parse(text.encode(), "mesh.yaml"))


def values(one: Mesh, component: str, cluster: str = "cluster1", **more: Any) -> dict[str, Any]:
    return of(one).chart_values(one, one.cluster(cluster), component, **{"licence": LICENCE, **more})  # type: ignore[arg-type]


def test_base_is_as_in_the_guide() -> None:
    assert values(mesh(), "base") == {"defaultRevision": "", "profile": "ambient"}


def test_istiod_is_as_in_the_guide() -> None:
    assert values(mesh(), "istiod") == {
        "profile": "ambient",
        "global": {
            "hub": REPO,
            "tag": IMAGE,
            "multiCluster": {"clusterName": "cluster1"},
            "network": "cluster1",
            "proxy": {"clusterDomain": "cluster.local"},
        },
        "meshConfig": {
            "accessLogFile": "/dev/stdout",
            "defaultConfig": {
                "proxyMetadata": {"ISTIO_META_DNS_AUTO_ALLOCATE": "true", "ISTIO_META_DNS_CAPTURE": "true"}
            },
            "trustDomain": "cluster1.local",
        },
        "env": {
            "PILOT_ENABLE_IP_AUTOALLOCATE": "true",
            "PILOT_ENABLE_K8S_SELECT_WORKLOAD_ENTRIES": "false",
            "PILOT_SKIP_VALIDATE_TRUST_DOMAIN": "true",
        },
        "pilot": {"cni": {"enabled": True, "namespace": "istio-system"}},
        "platforms": {"peering": {"enabled": True}},
        "license": {"secretRef": {"name": "solo-istio-license", "namespace": "istio-system"}},
    }


def test_cni_is_as_in_the_guide() -> None:
    assert values(mesh(), "cni") == {
        "profile": "ambient",
        "ambient": {"dnsCapture": True},
        "excludeNamespaces": ["istio-system", "kube-system"],
        "global": {"hub": REPO, "tag": IMAGE},
    }


def test_ztunnel_is_as_in_the_guide() -> None:
    assert values(mesh(), "ztunnel", "cluster2") == {
        "profile": "ambient",
        "configValidation": True,
        "enabled": True,
        "hub": REPO,
        "tag": IMAGE,
        "variant": "distroless",
        "istioNamespace": "istio-system",
        "namespace": "istio-system",
        "multiCluster": {"clusterName": "cluster2"},
        "network": "cluster2",
        "proxy": {"clusterDomain": "cluster.local"},
        "terminationGracePeriodSeconds": 29,
        "env": {"L7_ENABLED": "true", "SKIP_VALIDATE_TRUST_DOMAIN": "true"},
    }


def test_what_the_guide_says_can_be_said_otherwise() -> None:
    own = "{istiod: {env: {PILOT_SKIP_VALIDATE_TRUST_DOMAIN: 'false', MORE: '1'}, autoscaleMin: 2}}"
    found = values(mesh(clusters=f"[{{name: cluster1, values: {own}}}]"), "istiod")
    assert found["env"]["PILOT_SKIP_VALIDATE_TRUST_DOMAIN"] == "false"
    assert found["env"]["MORE"] == "1"
    assert found["env"]["PILOT_ENABLE_IP_AUTOALLOCATE"] == "true"
    assert found["autoscaleMin"] == 2


def test_computed_values_win_over_everything() -> None:
    one = mesh()
    cluster = one.cluster("cluster1")
    charts = {**cluster.charts, "ztunnel": replace(cluster.charts["ztunnel"], values={"network": "wrong"})}
    forced = replace(cluster, charts=charts)
    assert of(one).chart_values(one, forced, "ztunnel", licence=None)["network"] == "cluster1"


def test_a_variant_is_for_all_images() -> None:
    one = mesh(istio="images: {variant: debug}, ")
    assert values(one, "istiod")["global"]["variant"] == "debug"
    assert values(one, "cni")["global"]["variant"] == "debug"
    assert values(one, "ztunnel")["variant"] == "debug"


def test_a_ztunnel_elsewhere_is_trusted() -> None:
    one = mesh(clusters="[{name: cluster1, namespaces: {cni: kube-system, ztunnel: kube-system}}]")
    istiod, ztunnel = values(one, "istiod"), values(one, "ztunnel")
    assert istiod["trustedZtunnelNamespace"] == "kube-system"
    assert istiod["pilot"]["cni"]["namespace"] == "kube-system"
    assert (ztunnel["namespace"], ztunnel["istioNamespace"]) == ("kube-system", "istio-system")
    assert "trustedZtunnelNamespace" not in values(mesh(), "istiod")


def test_istiod_elsewhere_is_told_to_everybody() -> None:
    one = mesh(clusters="[{name: cluster1, namespaces: {istiod: mesh-system}}]")
    for component in ("base", "istiod", "cni"):
        assert values(one, component)["global"]["istioNamespace"] == "mesh-system"
    assert values(one, "ztunnel")["istioNamespace"] == "mesh-system"
    assert values(one, "cni")["excludeNamespaces"] == ["mesh-system", "kube-system"]


def test_the_first_chart_has_the_licence_in_its_environment() -> None:
    found = values(mesh("1.24.3-solo"), "istiod")
    assert "license" not in found
    assert found["env"]["SOLO_LICENSE_SECRET"] == "istio-system/solo-istio-license"
    assert "license" in values(mesh("1.25.0-solo"), "istiod")


@pytest.mark.parametrize("component", COMPONENTS)
def test_the_licence_never_becomes_a_value(component: str) -> None:
    assert values(mesh(), component).get("license", {}).keys() <= {"secretRef"}


def test_a_changed_licence_restarts_istiod() -> None:
    digest = Ref(Key("secret", "cluster1", "solo-istio-license"), "digest")
    found = values(mesh(), "istiod", licence_digest=digest)
    assert found["podAnnotations"] == {"meshform.io/licence": digest}
    assert "podAnnotations" not in values(mesh(), "cni", licence_digest=digest)


def leaves(value: Any, at: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    if not isinstance(value, Mapping):
        yield at
        return
    for key, item in value.items():
        yield from leaves(item, (*at, key))


@pytest.mark.parametrize("component", COMPONENTS)
def test_every_computed_value_is_refused_in_the_file(component: str) -> None:
    one = mesh(
        istio="images: {variant: debug}, ",
        clusters="[{name: cluster1, namespaces: {istiod: m, cni: c, ztunnel: z}}]",
    )
    cluster = one.cluster("cluster1")
    made = computed(one, cluster, component)  # type: ignore[arg-type]
    if component == "istiod":
        made = overlay(made, {"license": {"secretRef": {}}, "podAnnotations": {"meshform.io/licence": ""}})
    known = COMPUTED[component]  # type: ignore[index]
    for path in leaves(made):
        assert any(path[: len(each)] == each for each in known), path


@pytest.mark.parametrize("component", COMPONENTS)
def test_the_guide_and_the_computed_values_do_not_overlap(component: str) -> None:
    one = mesh(clusters="[{name: cluster1, namespaces: {istiod: m, cni: c, ztunnel: z}}]")
    cluster = one.cluster("cluster1")
    guide = set(leaves(documented(cluster, component)))  # type: ignore[arg-type]
    assert not guide & set(leaves(computed(one, cluster, component)))  # type: ignore[arg-type]


PASSTHROUGH = {"mode": "Passthrough"}


def test_the_eastwest_gateway_is_as_expose_makes_it() -> None:
    one = mesh(clusters="[{name: cluster1, network: net1, clusterName: east, region: eu, zone: eu-a}]")
    assert of(one).eastwest_gateway(one, one.cluster("cluster1")) == {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "Gateway",
        "metadata": {
            "name": "istio-eastwest",
            "namespace": "istio-eastwest",
            "labels": {
                "istio.io/expose-istiod": "15012",
                "topology.istio.io/network": "net1",
                "topology.istio.io/cluster": "east",
                "topology.kubernetes.io/region": "eu",
                "topology.kubernetes.io/zone": "eu-a",
            },
            "annotations": {"peering.solo.io/data-plane-service-type": "loadbalancer"},
        },
        "spec": {
            "gatewayClassName": "istio-eastwest",
            "listeners": [
                {"name": "cross-network", "port": 15008, "protocol": "HBONE", "tls": PASSTHROUGH},
                {"name": "xds-tls", "port": 15012, "protocol": "TLS", "tls": PASSTHROUGH},
            ],
        },
    }


ENDPOINT = {"type": "IPAddress", "value": "10.0.0.2", "xdsPort": 15012}


def test_the_peer_is_as_link_makes_it() -> None:
    one = mesh(
        clusters="[{name: cluster1}, {name: cluster2, network: net2, clusterName: west,"
        " trustDomain: w.example, region: us, zone: us-a}]"
    )
    assert peer_gateway(one, one.cluster("cluster1"), one.cluster("cluster2"), ENDPOINT) == {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "Gateway",
        "metadata": {
            "name": "istio-remote-peer-west",
            "namespace": "istio-eastwest",
            "labels": {
                "topology.istio.io/network": "net2",
                "topology.istio.io/cluster": "west",
                "topology.kubernetes.io/region": "us",
            },
            "annotations": {
                "gateway.istio.io/service-account": "istio-eastwest",
                "gateway.istio.io/trust-domain": "w.example",
                "peering.solo.io/preferred-data-plane-service-type": "loadbalancer",
            },
        },
        "spec": {
            "gatewayClassName": "istio-remote",
            "addresses": [{"type": "IPAddress", "value": "10.0.0.2"}],
            "listeners": [
                {"name": "cross-network", "port": 15008, "protocol": "HBONE", "tls": PASSTHROUGH},
                {"name": "xds-tls", "port": 15012, "protocol": "TLS", "tls": PASSTHROUGH},
            ],
        },
    }


def test_node_ports_are_announced_and_preferred() -> None:
    one = mesh(clusters="[{name: cluster1}, {name: cluster2, eastwest: {service: NodePort}}]")
    a, b = one.clusters
    gateway = of(one).eastwest_gateway(one, b)
    assert gateway["metadata"]["annotations"] == {"peering.solo.io/data-plane-service-type": "nodeport"}
    peer = peer_gateway(one, a, b, {"type": "IPAddress", "value": "192.0.2.7", "xdsPort": 30016})
    annotations, listeners = peer["metadata"]["annotations"], peer["spec"]["listeners"]
    assert annotations["peering.solo.io/preferred-data-plane-service-type"] == "nodeport"
    assert [each["port"] for each in listeners] == [15008, 30016]


def test_older_versions_get_only_what_they_read() -> None:
    one = mesh("1.24.3-solo", clusters="[{name: a, region: eu}, {name: b, region: us}]")
    a, b = one.clusters
    assert of(one).eastwest_gateway(one, a)["metadata"] == {
        "name": "istio-eastwest",
        "namespace": "istio-eastwest",
        "labels": {"istio.io/expose-istiod": "15012", "topology.istio.io/network": "a"},
    }
    peer = peer_gateway(one, a, b, ENDPOINT)["metadata"]
    assert peer["labels"] == {"topology.istio.io/network": "b"}
    assert len(peer["annotations"]) == 2
    newer = mesh("1.27.0-solo", clusters="[{name: a, region: eu}]")
    meta = of(newer).eastwest_gateway(newer, newer.clusters[0])["metadata"]
    assert "annotations" not in meta
    assert meta["labels"]["topology.kubernetes.io/region"] == "eu"


def test_an_address_that_is_not_known_yet_is_kept_as_it_is() -> None:
    one = mesh()
    a, b = one.clusters
    key = Key("gateway", "cluster2", "istio-eastwest")
    spec = peer_gateway(one, a, b, Ref(key, "endpoint"))["spec"]
    assert spec["addresses"] == [{"type": Ref(key, "endpoint.type"), "value": Ref(key, "endpoint.value")}]
    assert spec["listeners"][1]["port"] == Ref(key, "endpoint.xdsPort")
    spec = peer_gateway(one, a, b, Unknown(key))["spec"]
    assert spec["addresses"] == [{"type": Unknown(key), "value": Unknown(key)}]


def test_versions_are_ordered() -> None:
    texts = [
        "1.24.3-solo",
        "1.24.3-patch0-solo",
        "1.24.10-solo",
        "1.25.0-rc.1-solo",
        "1.25.0-solo",
        "1.30.2-solo-fips",
    ]
    found = [Version.parse(text) for text in texts]
    assert None not in found
    assert found == sorted(found, key=lambda each: each or OLDEST)
    assert found[0] == OLDEST
    assert [
        Version.parse(text) for text in ("1.30", "latest", "1.30.2-sol", "v1.30.2-solo", "1.30.2-solo\n")
    ] == [None] * 5


def test_the_crds_of_every_version_are_pinned() -> None:
    assert {version for _, version in GATEWAY_API} <= set(GATEWAY_API_DIGESTS)
    assert all(len(digest) == 64 for digest in GATEWAY_API_DIGESTS.values())


def test_a_table_holds_from_its_row_on() -> None:
    assert since(CHARTS, (1, 0)) == since(CHARTS, (1, 28)) == CHARTS[0][1]
    assert since(CHARTS, (1, 29)) == since(CHARTS, (2, 0)) == CHARTS[1][1]
