"""What a destroy leaves in the clusters, by name."""

from __future__ import annotations

from mesh.engine.leftovers import leftovers
from mesh.engine.session import Session
from mesh.errors import KubeError
from mesh.world.resources import CONFIG_MAP, CRD
from tests.engine.toy import toys


def test_what_istiod_and_the_base_chart_left_is_named_per_cluster(here: Session) -> None:
    kube = toys(here.world, "cluster1")
    kube.objects[CONFIG_MAP.plural, "web", "istio-ca-root-cert"] = {
        "metadata": {"namespace": "web", "name": "istio-ca-root-cert"}
    }
    for name, keep in (
        ("gateways.networking.istio.io", "keep"),
        ("theirs.example.com", "keep"),
        ("x.istio.io", ""),
    ):
        kube.objects[CRD.plural, "", name] = {
            "metadata": {"name": name, "annotations": {"helm.sh/resource-policy": keep}}
        }
    lines = leftovers(("cluster2", "cluster1"), here.world)
    assert [line.partition(":")[0] for line in lines] == ["cluster cluster1"] * 2
    assert lines[0].endswith("in web")
    assert "1 CRDs" in lines[1]
    assert "gateways.networking.istio.io" in lines[1]


def test_a_cluster_that_does_not_answer_is_named_too(here: Session) -> None:
    toys(here.world, "cluster1").down = True
    (line,) = leftovers(("cluster1",), here.world)
    assert "could not be read" in line
    assert isinstance(KubeError("x"), Exception)
