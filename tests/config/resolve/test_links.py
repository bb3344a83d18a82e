"""Links become ordered pairs with a position."""

from __future__ import annotations

from mesh.model import Origin
from tests.config.decoding import UPSTREAM, mesh


def pairs(text: str) -> set[str]:
    return {f"{link.source}>{link.target}" for link in mesh(text).links}


def test_links_are_written_in_several_ways() -> None:
    everyone = {"a>b", "a>c", "b>a", "b>c", "c>a", "c>b"}
    assert pairs("") == pairs("links: full-mesh") == pairs("links: [{between: [a, b, c]}]") == everyone
    assert pairs("links: []") == set()
    assert pairs("links: [{from: a, to: b}]") == {"a>b"}
    assert pairs("links: [{from: [a, b], to: c}]") == {"a>c", "b>c"}
    assert pairs("links: [{between: [a, b]}, {from: a, to: [c]}]") == {"a>b", "b>a", "a>c"}


def test_a_link_knows_where_it_was_written() -> None:
    [link] = mesh("links:\n- {from: a, to: b}").links
    assert link.origin == Origin("mesh.yaml", 8, 5)
    assert mesh("clusters:\n- name: a\n- name: b").links[0].origin.line == 7


def test_asymmetric_links_of_an_upstream_mesh_are_ordered_pairs() -> None:
    found = mesh("links: [{from: a, to: [b, c]}, {between: [b, c]}]", istio=UPSTREAM)
    pairs = [(link.source, link.target) for link in found.links]
    assert pairs == [("a", "b"), ("a", "c"), ("b", "c"), ("c", "b")]
