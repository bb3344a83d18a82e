"""What of the status of clusters is trouble, and what a warning."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from mesh.queries.status.model import (
    CertificateStatus,
    ClusterStatus,
    GatewayStatus,
    PeerStatus,
    Status,
    Workload,
    ordered,
)
from tests.support.statuses import absent, broken, drifted, fine, healthy, unread

WHY = "Deployment istiod: it is scaled to 0 replicas"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"unread": {"pods": "forbidden"}}, "its pods could not be read: forbidden"),
        ({"resources": (absent("label/c1/x"),)}, "label/c1/x: missing"),
        ({"resources": (broken("cert/c1/cacerts", "expired"),)}, "cert/c1/cacerts: expired"),
        (
            {"resources": (unread("crds/c1/a", "no"), unread("chart/c1/b", "no"))},
            "crds/c1/a, chart/c1/b: could not be read: no",
        ),
        ({"workloads": (Workload("cni", "x", why="it is not installed"),)}, "cni: it is not installed"),
        ({"gateways": (GatewayStatus("e", "g", why="no address"),)}, "gateway e/g: no address"),
        ({"peers": (PeerStatus("e", "p", why="not connected"),)}, "peer e/p: not connected"),
    ],
)
def test_each_thing_that_is_wrong_is_said_and_makes_the_mesh_not_ready(
    change: Mapping[str, Any], said: str
) -> None:
    cluster = replace(healthy("c1"), **change)
    assert cluster.troubles == (said,)
    assert not Status("demo", (cluster,)).ready


def test_a_row_repeats_nothing_that_its_resource_says() -> None:
    state = broken("chart/c1/istiod", WHY)
    pods = Workload("istiod", "x", "istiod", why=WHY, resource="chart/c1/istiod")
    gateway = GatewayStatus("e", "g", why="no pods", resource="gateway/c1/g")
    cluster = replace(healthy("c1"), resources=(state,), workloads=(pods,), gateways=(gateway,))
    assert cluster.troubles == (f"chart/c1/istiod: {WHY}",)


def test_pods_that_are_gone_are_said_although_the_release_says_nothing() -> None:
    pods = Workload("istiod", "x", why="it is not installed", resource="chart/c1/istiod")
    cluster = replace(healthy("c1"), resources=(drifted("chart/c1/istiod"),), workloads=(pods,))
    assert cluster.troubles == ("istiod: it is not installed",)
    gone = replace(cluster, resources=(absent("chart/c1/istiod"),))
    assert gone.troubles == ("chart/c1/istiod: missing",)


def test_what_could_not_be_read_is_said_once() -> None:
    cluster = replace(
        healthy("c1"),
        unread={"certificate and licence": "forbidden"},
        resources=(unread("cert/c1/cacerts", "forbidden"),),
    )
    assert cluster.troubles == ("its certificate and licence could not be read: forbidden",)
    assert not cluster.was_read


def test_of_a_cluster_that_does_not_answer_nothing_else_is_said() -> None:
    silent = ClusterStatus("c2", "c2", "c2", "", unreachable="off", resources=(absent("crds/c2/x"),))
    assert silent.troubles == ("it cannot be reached: off",)
    assert silent.out_of_sync == ()


def test_what_differs_and_works_is_no_trouble() -> None:
    cluster = replace(healthy("c1"), resources=(fine("label/c1/x"), drifted("chart/c1/cni")))
    status = Status("demo", (cluster,))
    assert (status.ready, status.in_sync, cluster.troubles) == (True, False, ())
    assert cluster.out_of_sync == ("chart/c1/cni: differs in 1 field (changed outside mesh): spec.x",)
    assert absent("crds/c1/x").key not in {each.key for each in cluster.resources}


def test_what_is_missing_is_trouble_and_not_listed_as_differing() -> None:
    cluster = replace(healthy("c1"), resources=(absent("crds/c1/x"),))
    assert cluster.out_of_sync == ()
    assert not Status("demo", (cluster,)).in_sync


def test_a_state_that_was_not_used_is_the_first_warning() -> None:
    status = Status("demo", (healthy("c1"),), ("roots differ",), note="two runs wrote serial 3")
    assert status.warnings[0].startswith("the state was not used")
    assert status.warnings[1] == "roots differ"
    assert not status.in_sync


def test_roots_that_differ_are_a_warning_and_make_the_mesh_not_ready() -> None:
    differ = "the clusters do not share a root of trust: c1 a, c2 b"
    status = Status("demo", (healthy("c1"), healthy("c2")), (differ,))
    assert (status.ready, status.same_root, status.warnings) == (False, False, (differ,))
    assert replace(status, roots=()).same_root is True


def test_a_certificate_that_expires_soon_is_a_warning_and_still_ready() -> None:
    soon = replace(
        healthy("c1"),
        authority=replace(healthy("c1").authority or CertificateStatus(), expiring=True, days_left=9),
    )
    status = Status("demo", (soon,))
    assert status.ready
    assert status.warnings == ("the intermediate certificate of cluster c1 expires in 9 days",)


def test_a_link_that_does_not_work_is_a_warning() -> None:
    peer = PeerStatus("e", "p", link="c2", why="missing", resource="link/c1/c2")
    [warning] = Status("demo", (replace(healthy("c1"), peers=(peer,)),)).warnings
    assert warning == "cluster c1 has no working link to c2: missing"


def test_peers_of_the_mesh_file_come_first() -> None:
    others, own = PeerStatus("a", "a"), PeerStatus("z", "z", link="c2")
    assert ordered([others, own]) == (own, others)
