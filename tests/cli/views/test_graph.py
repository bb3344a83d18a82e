"""The graph of resources as a table and as source of pictures."""

from __future__ import annotations

from mesh.cli.views.graph import dot, mermaid, resources_text
from mesh.model import Key
from tests.engine.toy import toy

ONE = toy("one", size=1)
TWO = toy("two", needs=frozenset({ONE.key}), size=2)
ROOT = Key("cert", "-", "root")
GRAPH = {ONE.key: frozenset({ROOT}), TWO.key: frozenset({ONE.key}), ROOT: frozenset[Key]()}


def test_resources_are_listed_in_the_order_of_creation() -> None:
    graph = {ONE.key: frozenset[Key](), TWO.key: frozenset({ONE.key})}
    lines = resources_text([ONE.key, TWO.key], {ONE.key: ONE, TWO.key: TWO}, graph).splitlines()
    assert [line.split()[:2] for line in lines] == [
        ["ADDRESS", "NEEDS"],
        ["toy/cluster1/one", "-"],
        ["toy/cluster1/two", "toy/cluster1/one"],
    ]


def test_arrows_lead_from_a_dependency_to_its_dependent() -> None:
    text = dot(GRAPH)
    assert '"toy/cluster1/one" -> "toy/cluster1/two";' in text
    assert '"cert/-/root" -> "toy/cluster1/one";' in text


def test_each_cluster_is_a_group_and_one_is_for_no_cluster() -> None:
    assert [line.strip() for line in dot(GRAPH).splitlines() if "label=" in line] == [
        'label="no cluster";',
        'label="cluster1";',
    ]
    assert [line.strip() for line in mermaid(GRAPH).splitlines() if "subgraph" in line] == [
        'subgraph c0["no cluster"]',
        'subgraph c1["cluster1"]',
    ]


def test_a_name_cannot_leave_its_label() -> None:
    evil = {Key("toy", "c", 'x"];<b>'): frozenset[Key]()}
    assert '\\"' in dot(evil)
    assert "<b>" not in mermaid(evil)
