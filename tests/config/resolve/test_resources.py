"""Listed resources: their addresses, needs and positions."""

from __future__ import annotations

import pytest

from mesh.model import Key, Origin
from tests.config.decoding import mesh, mistakes

LABEL = "{kind: label, cluster: a, name: x, spec: {labels: {k: v}}}"


def test_a_listed_resource_has_an_address_needs_and_a_position_for_each_value() -> None:
    needs = "needs: [chart/a/istiod]"
    [found] = mesh(f"resources: [{LABEL.replace('spec', f'{needs}, spec')}]").resources
    assert (found.key, found.needs) == (Key("label", "a", "x"), (Key("chart", "a", "istiod"),))
    assert found.values == {"labels": {"k": "v"}}
    assert isinstance(found.origins[()], Origin)
    assert found.origins["spec", "labels", "k"].col > found.origins[()].col


@pytest.mark.parametrize(
    ("parts", "wrong"),
    [
        (LABEL.replace("cluster: a", "cluster: z"), ["spec.resources[0].cluster: there is no cluster z"]),
        (f"{LABEL}, {LABEL}", ["spec.resources[1]: label/a/x is listed twice"]),
    ],
)
def test_an_unknown_cluster_and_a_second_entry_are_reported(parts: str, wrong: list[str]) -> None:
    assert mistakes(f"resources: [{parts}]") == wrong


def test_the_same_name_in_another_cluster_is_another_resource() -> None:
    both = mesh(f"resources: [{LABEL}, {LABEL.replace('cluster: a', 'cluster: b')}]").resources
    assert [str(each.key) for each in both] == ["label/a/x", "label/b/x"]
