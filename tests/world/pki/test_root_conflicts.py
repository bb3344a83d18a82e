"""Roots of trust that the clusters show, and conflicts between them."""

from __future__ import annotations

from mesh.world import pki

from .certs import root

A, B = frozenset({"sha256:a"}), frozenset({"sha256:b"})


def test_a_cluster_with_another_root_is_named() -> None:
    assert pki.root_conflicts("sha256:a", {"one": A, "two": frozenset()}) == ()
    (problem,) = pki.root_conflicts("sha256:a", {"one": A, "two": B})
    assert problem == "cluster two has the root of trust sha256:b, and the mesh has sha256:a"


def test_any_root_is_a_conflict_for_one_that_is_yet_to_be_generated() -> None:
    assert pki.root_conflicts(None, {"one": frozenset()}) == ()
    (problem,) = pki.root_conflicts(None, {"one": A, "two": B})
    assert "cluster one has the root of trust sha256:a; cluster two has" in problem
    assert "a second root is never generated" in problem


def test_clusters_that_share_a_root_have_one_even_during_a_migration() -> None:
    assert pki.one_root({"one": A | B, "two": B, "three": frozenset()}) == ()
    (problem,) = pki.one_root({"one": A, "two": B})
    assert problem == "the clusters do not share a root of trust: one sha256:a, two sha256:b"


def test_fingerprints_are_read_whatever_the_line_endings_and_damage() -> None:
    one = root().certificate
    damaged = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    assert pki.fingerprints_in(one.replace("\n", "\r\n") + damaged) == {pki.describe(one).fingerprint}
