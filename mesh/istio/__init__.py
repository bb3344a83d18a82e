"""Rules of the installation guides: chart values, gateways and peer objects from the desired state.

A distribution is a module of pure functions: no I/O, no clock, no live state.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from mesh.model import Unknown
from mesh.model.refs import Ref
from mesh.model.spec import Cluster, Component, Mesh, SecretRef


class Distribution(Protocol):
    """A build of Istio, set up as its guide describes."""

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
        """Return all values of a chart: the guide's, overridden by the user's and the computed ones.

        `licence` is the Secret that istiod reads its licence from. `licence_digest` becomes an
        annotation of istiod's pods, so that a changed licence restarts them; `root`, the fingerprint
        of the root of trust, becomes one of istiod's and ztunnel's pods.
        """

    def eastwest_gateway(self, mesh: Mesh, cluster: Cluster) -> dict[str, Any]:
        """Return the Gateway through which peers reach a cluster."""


def of(mesh: Mesh) -> Distribution:
    """Return the distribution of a mesh."""
    from mesh.istio import solo, upstream

    return upstream if mesh.distribution == "upstream" else solo


def remarks(mesh: Mesh) -> Iterator[str]:
    """Yield remarks for the plan about the version of a mesh."""
    from mesh.istio import upstream

    if mesh.distribution == "upstream":
        yield from upstream.remarks(mesh)
