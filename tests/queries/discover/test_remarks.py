"""What could not be decided, one sentence each."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mesh.queries.discover.found import DiscoveredCluster
from mesh.queries.discover.remarks import remarks
from tests.support.discovered import cluster, gateway, peer

VERSION = "1.29.1-solo"
A, B = cluster("a"), cluster("b")


def test_of_clusters_that_agree_nothing_is_said() -> None:
    assert list(remarks([A, B], VERSION)) == []


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (replace(B, remarks=("x",)), "b: x"),
        (cluster("b", "1.28.0-solo"), "b: base 1.28.0-solo, istiod 1.28.0-solo, cni 1.28.0-solo"),
        (replace(B, clear_licence=True), "license.value = (sensitive) is in the values of istiod in b"),
        (replace(B, licence=None), "the clusters read their licence from different Secrets"),
        (replace(B, roots=()), "no root of trust"),
        (replace(B, cluster_name="a"), "b has the cluster name of a"),
        (replace(B, network="a"), "b has the network of a"),
        (replace(B, eastwest=(gateway("b", namespace="edge"),)), "the east-west gateways are in edge and"),
        (replace(B, eastwest=(gateway("b"), gateway("b", name="two"))), "b has several east-west gateways"),
        (replace(B, peers=(peer("a", by_hand=False),)), "b: peer istio-eastwest/istio-remote-peer-a"),
        (
            replace(B, peers=(peer("far"),)),
            "b: peer istio-eastwest/istio-remote-peer-far leads to network far",
        ),
    ],
)
def test_what_differs_is_said(other: DiscoveredCluster, said: str) -> None:
    assert any(line.startswith(said) for line in remarks([A, other], VERSION)), [
        *remarks([A, other], VERSION)
    ]
