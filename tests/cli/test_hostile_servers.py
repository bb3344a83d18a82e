"""A cluster behind a hostile server ends in a clear error, and the plan of the other cluster is complete.

`tests/world/kube/test_answers.py` has every kind of bad answer; these are whole processes, which take longer.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.hostile import hostile
from tests.support.small_api import fresh, small_api
from tests.support.two_clusters import Result, prepare, run

OF_WEST = [
    "namespace/west/istio-system",
    "cert/west/cacerts",
    "chart/west/base",
    "chart/west/istiod",
    "chart/west/cni",
    "chart/west/ztunnel",
    "label/west/istio-system",
    "gateway/west/istio-eastwest",
    "secret/west/solo-istio-license",
]


def planned(folder: Path, east: str) -> Result:
    with small_api(fresh()) as west:
        prepare(folder, {"east": east, "west": west})
        return run(folder, "plan", MESH_REQUEST_TIMEOUT="8")


@pytest.mark.parametrize(
    "kind", ["an endless body", "a gzip bomb", "a body byte by byte", "interim answers without an end"]
)
def test_a_server_that_never_ends_is_given_up_and_the_other_cluster_is_planned(
    kind: str, tmp_path: Path
) -> None:
    with hostile(kind) as east:
        result = planned(tmp_path, east)
    assert [each for each in OF_WEST if f"  # {each} will be created" not in result.out] == []
    assert "chart/east/istiod" in result.out.partition("Deferred:")[2]
    assert "cluster east (context east)" in result.out
    assert result.peak < 200
    assert "Traceback" not in result.err


ODD = {
    "/api/v1/secrets": {
        "type": "helm.sh/release.v1",
        "metadata": {"name": "sh.helm.release.v1.istiod.v1", "namespace": "istio-system", "uid": "u"},
        "data": {"release": 5},
    },
    "/api/v1/configmaps": {
        "metadata": {"name": "mesh-demo-state", "namespace": "istio-system", "uid": "u"},
        "data": {"mesh.lock": '{"format": 1, "serial": "9"}'},
    },
    "/api/v1/namespaces": {"metadata": {"name": "istio-system", "uid": "u", "labels": ["x"]}},
    "/api/v1/nodes": {"metadata": "x"},
}


def test_objects_of_a_wrong_type_are_unread_in_their_cluster_alone(tmp_path: Path) -> None:
    objects = fresh("east")
    for path, obj in ODD.items():
        objects[path] = [*objects[path], obj]
    with small_api(objects) as east:
        result = planned(tmp_path, east)
    assert [each for each in OF_WEST if f"  # {each} will be created" not in result.out] == []
    assert "chart/east/istiod" in result.out.partition("Deferred:")[2]
    assert "Traceback" not in result.err
