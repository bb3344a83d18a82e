"""From the mesh as it is written to its resources, and what each needs."""

from __future__ import annotations

from typing import Any

import pytest

from mesh.config.decode import decode
from mesh.config.source.load import parse
from mesh.model import Key
from mesh.model.graph import edges, ordered
from mesh.model.refs import Ref, refs_in
from mesh.model.spec import Mesh
from mesh.planner.expand import expand

PAIR = "[{name: cluster1}, {name: cluster2}]"
EASTWEST = ("istio-eastwest", "istio-eastwest")


def mesh(clusters: str = PAIR, more: str = "", licence: str = "{env: KEY}") -> Mesh:
    text = f"""
apiVersion: mesh/v1
kind: Mesh
metadata: {{name: prod}}
spec:
  istio: {{version: 1.30.2-solo, license: {licence}}}
  clusters: {clusters}
{more}
"""
    return decode(parse(text.encode(), "mesh.yaml"))


def expanded(one: Mesh) -> dict[str, Any]:
    return {str(key): resource for key, resource in expand(one).items()}


def needs(one: Mesh) -> dict[str, set[str]]:
    graph = edges(expand(one).values())
    return {str(key): {str(need) for need in some} for key, some in graph.items()}


OWN = {
    "crds/{}/gateway-api",
    "namespace/{}/istio-system",
    "namespace/{}/istio-eastwest",
    "cert/{}/cacerts",
    "secret/{}/solo-istio-license",
    "chart/{}/base",
    "chart/{}/istiod",
    "chart/{}/cni",
    "chart/{}/ztunnel",
    "label/{}/istio-system",
    "gateway/{}/istio-eastwest",
}


@pytest.mark.parametrize("count", [1, 2, 4])
def test_every_cluster_has_its_own_and_a_full_mesh_links_every_pair_both_ways(count: int) -> None:
    names = [f"c{number}" for number in range(count)]
    clusters = ", ".join(f"{{name: {name}}}" for name in names)
    links = {f"link/{one}/{other}" for one in names for other in names if one != other}
    found = set(expanded(mesh(f"[{clusters}]", "  links: full-mesh" if count > 1 else "")))
    assert found == {"cert/-/root"} | {each.format(name) for each in OWN for name in names} | links


def test_the_order_is_that_of_the_guide() -> None:
    order = [str(key) for key in ordered(edges(expand(mesh(more="  links: full-mesh")).values()))]
    chain = [
        "namespace/cluster1/istio-system",
        "cert/cluster1/cacerts",
        "chart/cluster1/istiod",
        "chart/cluster1/cni",
        "chart/cluster1/ztunnel",
        "label/cluster1/istio-system",
        "gateway/cluster1/istio-eastwest",
        "link/cluster1/cluster2",
    ]
    assert [each for each in order if each in chain] == chain
    assert order.index("cert/-/root") < order.index("cert/cluster1/cacerts")
    assert order.index("crds/cluster1/gateway-api") < order.index("chart/cluster1/base")
    assert order.index("chart/cluster1/base") < order.index("chart/cluster1/istiod")


def test_each_resource_needs_what_it_stands_on_and_no_other_cluster_but_by_links() -> None:
    found = needs(mesh(more="  links: full-mesh"))
    assert found["chart/cluster1/istiod"] == {
        "chart/cluster1/base",
        "cert/cluster1/cacerts",
        "cert/-/root",
        "secret/cluster1/solo-istio-license",
        "namespace/cluster1/istio-system",
    }
    assert found["link/cluster1/cluster2"] == {
        "namespace/cluster1/istio-eastwest",
        "gateway/cluster1/istio-eastwest",
        "gateway/cluster2/istio-eastwest",
    }
    for address, some in found.items():
        kind, cluster, _ = address.split("/")
        others = {need for need in some if need.split("/")[1] not in {cluster, "-"}}
        assert (not others) or kind == "link"


def test_a_link_takes_the_endpoint_of_its_target() -> None:
    link = expanded(mesh(more="  links: [{from: cluster1, to: cluster2}]"))["link/cluster1/cluster2"]
    gateway = Key("gateway", "cluster2", "istio-eastwest")
    assert {ref.name for ref in refs_in(link.spec.body)} == {
        "endpoint.type",
        "endpoint.value",
        "endpoint.xdsPort",
    }
    assert {ref.key for ref in refs_in(link.spec)} == {gateway}
    assert (link.place.namespace, link.place.name) == ("istio-eastwest", "istio-remote-peer-cluster2")


def test_a_one_way_link_is_one_resource_and_a_pair_is_two() -> None:
    one = expanded(mesh(more="  links: [{from: cluster1, to: cluster2}]"))
    assert {each for each in one if each.startswith("link/")} == {"link/cluster1/cluster2"}
    pair = expanded(mesh(more="  links: [{between: [cluster1, cluster2]}]"))
    assert {each for each in pair if each.startswith("link/")} == {
        "link/cluster1/cluster2",
        "link/cluster2/cluster1",
    }


def test_istiod_restarts_when_its_licence_changes() -> None:
    istiod = expanded(mesh())["chart/cluster1/istiod"]
    assert Ref(Key("secret", "cluster1", "solo-istio-license"), "digest") in set(refs_in(istiod.spec))


def test_the_licence_itself_is_told_by_no_resource() -> None:
    assert "top secret" not in repr(expand(mesh()))


def test_a_given_licence_secret_keeps_its_name_and_place() -> None:
    one = mesh(licence="{secretRef: {name: mine, namespace: vault}}")
    found = expand(one)[Key("secret", "cluster1", "mine")]
    assert (found.place.namespace, found.place.name, found.spec.value) == ("vault", "mine", None)


def test_with_an_existing_root_nobody_makes_one() -> None:
    found = expanded(mesh(more="  rootOfTrust: {ca: {existing: true}}"))
    assert "cert/-/root" not in found
    assert list(refs_in(found["cert/cluster1/cacerts"].spec)) == []


def test_namespaces_that_every_cluster_has_are_nobodys() -> None:
    cluster = "[{name: cluster1, namespaces: {cni: kube-system, ztunnel: kube-system}}]"
    found = expanded(mesh(cluster))
    assert "namespace/cluster1/kube-system" not in found
    assert "namespace/cluster1/kube-system" not in needs(mesh(cluster))["chart/cluster1/cni"]


def test_every_resource_says_where_in_the_file_it_comes_from() -> None:
    for address, resource in expanded(mesh(more="  links: full-mesh")).items():
        assert resource.origin.file == "mesh.yaml", address
        assert resource.origin.line > 0, address


def test_the_same_file_gives_the_same_resources_in_the_same_order() -> None:
    one, other = (expand(mesh(more="  links: full-mesh")) for _ in range(2))
    assert list(one.items()) == list(other.items())
