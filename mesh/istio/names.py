"""Names that Istio gives to labels and objects, whatever the distribution."""

from __future__ import annotations

NETWORK = "topology.istio.io/network"
"""The label that says which network a namespace or gateway is in."""

ROOT_CONFIG_MAP = "istio-ca-root-cert"
"""The ConfigMap in which istiod publishes its root of trust, in every namespace."""
