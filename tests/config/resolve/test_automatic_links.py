"""Automatic links name the management cluster and where its charts come from."""

from __future__ import annotations

from dataclasses import replace

from mesh.model import Origin
from mesh.model.spec import Automatic
from tests.config.decoding import UPSTREAM, mesh, mistakes

LINKS = "links: {automatic: {management: a}}"


def test_a_listed_mesh_has_no_automatic_links() -> None:
    assert mesh().automatic is None


def test_the_management_plane_has_defaults() -> None:
    found = mesh(LINKS)
    assert found.automatic is not None
    assert replace(found.automatic, origin=Origin()) == Automatic("a", "gloo-mesh", "", "")
    assert found.links == ()


def test_a_management_cluster_outside_the_mesh_is_reported() -> None:
    assert mistakes("links: {automatic: {management: x}}") == [
        'spec.links.automatic.management: there is no cluster "x"'
    ]


def test_automatic_links_need_the_solo_distribution() -> None:
    assert mistakes(LINKS, istio=UPSTREAM) == ["spec.links.automatic: needs the Solo distribution"]


def test_a_version_of_the_charts_needs_their_source() -> None:
    assert mistakes("links: {automatic: {management: a, version: 2.10.0}}") == [
        "spec.links.automatic.version: needs a source"
    ]
