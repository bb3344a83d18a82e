"""What upstream's guide says, field for field; and the resources that follow from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from mesh.config.decode import decode
from mesh.config.source.load import parse
from mesh.istio import of, remarks
from mesh.istio.computed_values_upstream import table
from mesh.istio.upstream import computed, documented, is_loopback
from mesh.model import Key, Place
from mesh.model.refs import Ref
from mesh.model.spec import COMPONENTS, Mesh
from mesh.planner.expand import expand
from mesh.sdk.kube_secret import SecretLocator

READER_SECRET = "istio-reader-service-account-istio-remote-secret-token"


def mesh(
    version: str = "1.29.1", spec: str = "", clusters: str = "[{name: a}, {name: b}, {name: c}]"
) -> Mesh:
    text = f"""
apiVersion: mesh/v1
kind: Mesh
metadata: {{name: prod}}
spec:
  istio: {{distribution: upstream, version: {version}}}
  clusters: {clusters}
  {spec}
"""
    return decode(parse(text.encode(), "mesh.yaml"))


def values(one: Mesh, component: str, cluster: str = "a") -> dict[str, Any]:
    return of(one).chart_values(one, one.cluster(cluster), component)  # type: ignore[arg-type]


def leaves(found: Mapping[str, Any], at: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, value in found.items():
        yield from leaves(value, (*at, name)) if isinstance(value, Mapping) else ((*at, name),)


def test_the_values_are_as_in_the_guide() -> None:
    one = mesh(clusters="[{name: a, clusterName: east, network: net1}, {name: b}]")
    assert values(one, "base") == {}
    assert values(one, "istiod") == {
        "profile": "ambient",
        "global": {
            "tag": "1.29.1",
            "meshID": "prod",
            "multiCluster": {"clusterName": "east"},
            "network": "net1",
        },
        "meshConfig": {"trustDomain": "cluster.local"},
        "env": {"AMBIENT_ENABLE_MULTI_NETWORK": "true"},
    }
    images = {"tag": "1.29.1"}
    assert values(one, "cni") == {"profile": "ambient", "global": images}
    assert values(one, "ztunnel") == {**images, "multiCluster": {"clusterName": "east"}, "network": "net1"}


def test_the_values_of_a_user_are_merged_and_other_namespaces_are_told() -> None:
    one = mesh(
        spec="defaults: {namespaces: {istiod: mesh, ztunnel: zt}, "
        "values: {istiod: {env: {PILOT_X: one}, meshConfig: {accessLogFile: /dev/stdout}}}}"
    )
    found = values(one, "istiod")
    assert found["env"] == {"PILOT_X": "one", "AMBIENT_ENABLE_MULTI_NETWORK": "true"}
    assert found["meshConfig"] == {"accessLogFile": "/dev/stdout", "trustDomain": "cluster.local"}
    assert (found["global"]["istioNamespace"], found["trustedZtunnelNamespace"]) == ("mesh", "zt")
    assert values(one, "ztunnel")["istioNamespace"] == "mesh"
    assert values(one, "base") == {"global": {"istioNamespace": "mesh"}}


@pytest.mark.parametrize("component", COMPONENTS)
def test_nothing_computed_can_be_set_by_hand(component: str) -> None:
    one = mesh(spec="defaults: {namespaces: {istiod: m, cni: c, ztunnel: z}}")
    known = table("upstream")[component]  # type: ignore[index]
    made = computed(one, one.cluster("a"), component)  # type: ignore[arg-type]
    for path in leaves(made):
        assert any(path[: len(each)] == each for each in known), path
    assert not set(leaves(documented(component))) & set(leaves(made))  # type: ignore[arg-type]


def test_the_eastwest_gateway_ends_the_outer_tunnel() -> None:
    one = mesh()
    assert of(one).eastwest_gateway(one, one.cluster("a")) == {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "Gateway",
        "metadata": {
            "name": "istio-eastwestgateway",
            "namespace": "istio-system",
            "labels": {"topology.istio.io/network": "a"},
        },
        "spec": {
            "gatewayClassName": "istio-east-west",
            "listeners": [
                {
                    "name": "mesh",
                    "port": 15008,
                    "protocol": "HBONE",
                    "tls": {
                        "mode": "Terminate",
                        "options": {"gateway.istio.io/tls-terminate-mode": "ISTIO_MUTUAL"},
                    },
                }
            ],
        },
    }


def test_there_is_no_licence_and_no_peer_object() -> None:
    found = expand(mesh())
    assert {key.kind for key in found} == {
        *("cert", "chart", "crds", "gateway", "label", "namespace", "reader", "remote"),
    }
    assert not any("licen" in repr(resource) for resource in found.values())


def test_a_link_is_a_remote_secret_of_its_target_in_its_source() -> None:
    one = mesh(spec="links: [{from: a, to: b}]", clusters="[{name: a}, {name: b, clusterName: west}]")
    found = expand(one)
    keys = {key for key in found if key.kind in {"reader", "remote"}}
    reader = Key("reader", "b", "istio-reader")
    assert keys == {reader, Key("remote", "a", "b")}
    remote = found[Key("remote", "a", "b")]
    assert remote.place == Place("istio-system", "istio-remote-secret-west", SecretLocator("prod"))
    assert remote.spec.cluster == "west"
    assert (remote.spec.server, remote.spec.token) == (Ref(reader, "server"), Ref(reader, "token"))
    assert remote.needs == {
        Key("chart", "a", "istiod"),
        Key("gateway", "a", "istio-eastwestgateway"),
        Key("gateway", "b", "istio-eastwestgateway"),
        reader,
    }
    assert found[reader].place == Place("istio-system", READER_SECRET, SecretLocator("prod"))
    assert found[reader].needs == {Key("chart", "b", "base"), Key("chart", "b", "istiod")}


def test_the_server_of_the_file_is_no_ref() -> None:
    one = mesh(clusters='[{name: a, apiServer: "https://a.example:6443"}, {name: b}]')
    assert expand(one)[Key("remote", "b", "a")].spec.server == "https://a.example:6443"


@pytest.mark.parametrize(("version", "told"), [("1.27.0", 1), ("1.28.4", 1), ("1.29.0", 0), ("1.30.1", 0)])
def test_an_alpha_is_called_one(version: str, told: int) -> None:
    said = list(remarks(mesh(version)))
    assert len(said) == told
    assert all("alpha" in line for line in said)


@pytest.mark.parametrize(
    ("server", "loopback"),
    [
        ("https://127.0.0.1:6443", True),
        ("https://127.8.0.1", True),
        ("https://localhost:6443", True),
        ("https://kind.localhost", True),
        ("https://[::1]:6443", True),
        ("https://0.0.0.0:6443", True),
        ("https://10.0.0.1:6443", False),
        ("https://api.example:6443/prefix", False),
        ("https://127.0.0.1.example", False),
    ],
)
def test_what_means_this_machine_is_known(server: str, loopback: bool) -> None:
    assert is_loopback(server) is loopback
