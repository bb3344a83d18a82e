"""What the guides say: from the desired state to chart values, gateways and peer objects.

A distribution is a module of pure functions: no I/O, no clock, nothing learnt from a cluster.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from mesh.model import Unknown
from mesh.model.refs import Ref
from mesh.model.spec import Cluster, Component, Mesh, SecretRef


class Distribution(Protocol):
    """A build of Istio and the way its guide sets it up."""

    def chart_values(
        self,
        mesh: Mesh,
        cluster: Cluster,
        component: Component,
        *,
        licence: SecretRef | None = None,
        licence_digest: Ref | Unknown | str | None = None,
        root: Ref | Unknown | str | None = None,
    ) -> dict[str, Any]:
        """Return all values of a chart: the guide's, then the user's, then the computed ones.

        `licence` is the Secret that istiod reads its licence from. `licence_digest` goes to an
        annotation of istiod's pods, so that a changed licence restarts them; `root`, the fingerprint
        of the root of trust, to one of istiod's and ztunnel's.
        """

    def eastwest_gateway(self, mesh: Mesh, cluster: Cluster) -> dict[str, Any]:
        """Return the Gateway through which a cluster's peers reach it."""


def of(mesh: Mesh) -> Distribution:
    """Return the distribution that a mesh runs."""
    from mesh.istio import solo, upstream

    return upstream if mesh.distribution == "upstream" else solo


def remarks(mesh: Mesh) -> Iterator[str]:
    """Yield what the reader of a plan should know of the version that a mesh runs."""
    from mesh.istio import upstream

    if mesh.distribution == "upstream":
        yield from upstream.remarks(mesh)
