"""What one cluster runs; a whole one is read on the lab, in tests/e2e/test_import.py."""

from __future__ import annotations

from typing import Any

import pytest

from mesh.errors import KubeError
from mesh.queries.discover.found import SkippedCluster
from mesh.queries.discover.read import look
from mesh.world.snapshot import Snapshot
from tests.support.few_objects import snapshot


def istiod(name: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": "istio-system", "labels": {"app": "istiod"}}}


def test_a_cluster_without_istio_is_nothing() -> None:
    assert look("a", "a-admin", snapshot()) is None


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("istiod-gloo", "the Gloo Operator keeps its Istio (Deployment istiod-gloo)"),
        ("istiod", "istiod istio-system/istiod was not installed by helm"),
    ],
)
def test_an_istiod_that_helm_did_not_install_is_left_out(name: str, why: str) -> None:
    found = look("a", "a-admin", snapshot(deployments=[istiod(name)]))
    assert isinstance(found, SkippedCluster)
    assert (found.why.startswith(why), found.runs_istio) == (True, True)


class Silent(Snapshot):
    """A cluster that does not answer."""

    def list(self, *_args: Any, **_query: Any) -> Any:
        raise KubeError("it does not answer")


def test_a_cluster_that_cannot_be_read_is_left_out_with_the_reason() -> None:
    found = look("a", "a-admin", Silent("a", snapshot().world))
    assert found == SkippedCluster("a", "a-admin", "it does not answer")
