"""Where istiod publishes the root of trust."""

from __future__ import annotations

from typing import Any

import pytest

from mesh.istio.discovery import LEFT_OUT, is_published, is_selected

SHOP = {"kubernetes.io/metadata.name": "shop", "team": "red"}


@pytest.mark.parametrize("name", sorted(LEFT_OUT))
def test_namespaces_of_kubernetes_are_left_out(name: str) -> None:
    assert not is_published(name, {}, {})
    assert is_published("kube-system", {}, {})


@pytest.mark.parametrize(
    ("selectors", "expected"),
    [
        ([], True),
        ([{"matchLabels": {"team": "red"}}], True),
        ([{"matchLabels": {"team": "blue"}}], False),
        (
            [
                {"matchLabels": {"team": "blue"}},
                {"matchExpressions": [{"key": "team", "operator": "Exists"}]},
            ],
            True,
        ),
        ([{}], True),
        # One that Kubernetes refuses: Istio then reads none of them.
        (
            [{"matchLabels": {"team": "blue"}}, {"matchExpressions": [{"key": "a", "operator": "Exist"}]}],
            True,
        ),
        ([{"matchExpressions": [{"key": "a", "operator": "In"}]}], True),
        ([{"matchExpressions": [{"key": "a", "operator": "Exists", "values": ["b"]}]}], True),
    ],
)
def test_one_discovery_selector_must_match(selectors: list[Any], expected: bool) -> None:
    assert is_published("shop", SHOP, {"discoverySelectors": selectors}) is expected
    assert is_published("shop", SHOP, {"discoverySelectors": selectors or None}) is expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ({"key": "team", "operator": "In", "values": ["red", "blue"]}, True),
        ({"key": "team", "operator": "In", "values": ["blue"]}, False),
        ({"key": "team", "operator": "NotIn", "values": ["blue"]}, True),
        ({"key": "other", "operator": "NotIn", "values": ["blue"]}, True),
        ({"key": "other", "operator": "In", "values": ["blue"]}, False),
        ({"key": "other", "operator": "DoesNotExist"}, True),
        ({"key": "team", "operator": "DoesNotExist"}, False),
    ],
)
def test_expressions_are_those_of_kubernetes(expression: dict[str, Any], expected: bool) -> None:
    assert is_selected(SHOP, {"matchExpressions": [expression]}) is expected
    assert is_selected(SHOP, {"matchLabels": {"team": "red"}, "matchExpressions": [expression]}) is expected
    assert not is_selected(SHOP, {"matchLabels": {"team": "blue"}, "matchExpressions": [expression]})
