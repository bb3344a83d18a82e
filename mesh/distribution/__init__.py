"""What the guides say: from the desired state to chart values, gateways and peer objects.

A distribution is a module of pure functions: no I/O, no clock, nothing learnt from a cluster.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from mesh.errors import MeshError
from mesh.model import Unknown
from mesh.refs import Ref
from mesh.spec import Cluster, Component, Mesh, SecretRef

Endpoint = Mapping[str, Any] | Ref | Unknown
"""Where an east-west gateway is reached: {type: IPAddress|Hostname, value, xdsPort}, now or later."""


class Distribution(Protocol):
    """A build of Istio and the way its guide sets it up."""

    def chart_values(
        self,
        mesh: Mesh,
        cluster: Cluster,
        component: Component,
        *,
        licence: SecretRef | None,
        licence_digest: Ref | Unknown | str | None = None,
    ) -> dict[str, Any]:
        """Return all values of a chart: the guide's, then the user's, then the computed ones.

        `licence` is the Secret that istiod reads its licence from. `licence_digest` goes to an
        annotation of istiod's pods, so that a changed licence restarts them.
        """

    def eastwest_gateway(self, mesh: Mesh, cluster: Cluster) -> dict[str, Any]:
        """Return the Gateway through which a cluster's peers reach it."""

    def peer_gateway(
        self, mesh: Mesh, source: Cluster, target: Cluster, endpoint: Endpoint
    ) -> dict[str, Any]:
        """Return the Gateway object in `source` that stands for the gateway of `target`.

        A `Ref` endpoint is placed as three refs `<name>.type`, `<name>.value`, `<name>.xdsPort`:
        the dots lead into the output. An `Unknown` endpoint is placed three times as it is.
        """


def of(mesh: Mesh) -> Distribution:
    """Return the distribution that a mesh runs."""
    if mesh.distribution != "solo":
        raise MeshError(f"distribution {mesh.distribution} is not supported yet", hint="use solo")
    from mesh.distribution import solo

    return solo
