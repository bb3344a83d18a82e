"""In which namespaces istiod publishes the root of trust; pure.

Source: `NewNamespaceController` and the discovery filter of Istio 1.31.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

OPERATORS: Final = {"In": True, "NotIn": True, "Exists": False, "DoesNotExist": False}
"""The operators of a label selector, and whether they have values."""

LEFT_OUT: Final = frozenset({"kube-public", "kube-node-lease", "local-path-storage"})
"""The namespaces of Kubernetes to which istiod never publishes; `kube-system` may hold a ztunnel."""


def is_published(name: str, labels: Mapping[str, str], mesh_config: Mapping[str, Any]) -> bool:
    """Return whether an istiod with this mesh config publishes its root to a namespace.

    Of several `discoverySelectors` one must match; without any, all namespaces are discovered.
    """
    selectors = mesh_config.get("discoverySelectors") or ()
    # Istio reads none of them if one is invalid, and nothing refuses such a config.
    is_valid = all(_is_valid(each) for selector in selectors for each in _expressions(selector))
    is_discovered = not selectors or not is_valid or any(is_selected(labels, each) for each in selectors)
    return name not in LEFT_OUT and is_discovered


def is_selected(labels: Mapping[str, str], selector: Mapping[str, Any]) -> bool:
    """Return whether a label selector of Kubernetes selects an object with these labels."""
    wanted: Mapping[str, str] = selector.get("matchLabels") or {}
    return all(labels.get(key) == value for key, value in wanted.items()) and all(
        _holds(labels, each) for each in _expressions(selector)
    )


def _expressions(selector: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    return selector.get("matchExpressions") or ()


def _is_valid(expression: Mapping[str, Any]) -> bool:
    """Return whether Kubernetes accepts it: In and NotIn have values, the others have none."""
    operator, values = expression.get("operator"), expression.get("values")
    return operator in OPERATORS and bool(values) is OPERATORS[operator]


def _holds(labels: Mapping[str, str], expression: Mapping[str, Any]) -> bool:
    key, values = str(expression.get("key")), expression.get("values") or ()
    match expression.get("operator"):
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case _:
            return key not in labels
