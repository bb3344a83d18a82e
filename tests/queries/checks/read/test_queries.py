"""The LISTs of the checks: their namespaces, and that rules ask for no collection that is not read."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from mesh.queries.checks import rules
from mesh.queries.checks.read.first import PARTS
from mesh.queries.checks.read.queries import QUERIES, everywhere, of_control_plane, of_leases, of_system
from mesh.queries.checks.read.second import SECOND
from tests.support.check_facts import MESH

CLUSTER = MESH.cluster("cluster1")
ASKED = re.compile(r'(?:rows|named|_pods)\((?:facts, )?"([a-z ]+)"')


def test_the_namespaces_are_those_of_the_charts_and_of_the_system() -> None:
    charts = {**CLUSTER.charts, "cni": replace(CLUSTER.charts["cni"], namespace="cni-system")}
    split = replace(CLUSTER, charts=charts)
    assert everywhere(split) == {""}
    assert of_control_plane(split) == {"istio-system", "cni-system"}
    assert of_system(split) == {"istio-system", "cni-system", "kube-system"}
    assert of_leases(split) == {"kube-system"}


@pytest.mark.parametrize(
    "path", sorted(Path(str(rules.__file__)).parent.glob("*.py")), ids=lambda path: path.stem
)
def test_a_rule_asks_only_for_collections_that_are_read(path: Path) -> None:
    known = {*QUERIES, *SECOND, *PARTS}
    assert set(ASKED.findall(path.read_text(encoding="utf-8"))) - known == set()


def test_a_collection_is_read_in_one_place() -> None:
    assert QUERIES.keys() & (SECOND.keys() | PARTS.keys()) == set()
