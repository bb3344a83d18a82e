"""The rows of status, from live objects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from mesh.model import Live, Place
from mesh.providers.cert.observe import live_cacerts
from mesh.queries.states import ResourceState
from mesh.queries.status.judge import authority, gateway, image_tag, other_peer, peer, remote, workload
from mesh.world import Object
from mesh.world.pki import data_from
from tests.queries.status.healthy import healthy
from tests.support.meshes import mesh_of
from tests.support.statuses import absent
from tests.world.pki.certs import NOW, bundle, root

NOTHING: dict[str, Any] = {"replicas": 0, "template": {"spec": {}}}
SOLO, UPSTREAM = mesh_of("solo"), mesh_of("upstream")


def nobody(_workload: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A workload without a pod."""
    return []


def cacerts(validity: timedelta, **changed: str) -> Object:
    signed = replace(bundle(root(), validity=validity), **changed)
    return {"metadata": {"name": "cacerts", "namespace": "x", "uid": "uid"}, "data": data_from(signed)}


@pytest.mark.parametrize(
    ("life", "left", "expiring"),
    [(365, 200, False), (365, 91, False), (365, 89, True), (365, 1, True), (6, 3, False), (6, 1, True)],
)
def test_the_time_to_renew_is_that_of_the_plan(life: int, left: int, expiring: bool) -> None:
    now = NOW + timedelta(days=life - left)
    live = live_cacerts(cacerts(timedelta(days=life)), now)
    found = authority(live, "", timedelta(days=90), now)
    assert (found.expiring, found.days_left, found.why) == (expiring, left, "")
    assert found.roots == (found.root,)
    assert found.issuer
    assert found.subject


def test_a_certificate_that_cannot_be_read_has_no_dates() -> None:
    live = live_cacerts(cacerts(timedelta(days=10), ca_cert="no certificate"), NOW)
    found = authority(live, "; ".join(live.status["problems"]), timedelta(days=1), NOW)
    assert (found.expires, found.why) == (
        None,
        "ca-cert.pem: it has no certificate in PEM form, or a damaged one",
    )


def test_a_root_that_istiod_made_itself_is_shown_without_a_certificate() -> None:
    live = Live({}, "", outputs={"root": "sha256:00"}, status={"roots": ["sha256:00"]})
    found = authority(live, "", timedelta(days=1), NOW)
    assert (found.root, found.roots, found.expires) == ("sha256:00", ("sha256:00",), None)


@pytest.mark.parametrize(
    ("image", "tag"),
    [
        ("registry.example:5000/istio/pilot:1.30.2-solo", "1.30.2-solo"),
        ("registry.example:5000/istio/pilot", ""),
        ("istio/pilot:1.2@sha256:00", "1.2"),
        ("", ""),
    ],
)
def test_a_tag_is_read_off_an_image(image: str, tag: str) -> None:
    assert image_tag(image) == tag


def test_a_deployment_that_is_scaled_to_nothing_is_not_ready() -> None:
    obj = {"kind": "Deployment", "metadata": {"name": "istiod"}, "spec": NOTHING}
    found = workload("istiod", obj, 2, nobody)
    assert (found.ready, found.desired) == (0, 0)
    assert found.why == "Deployment istiod: it is scaled to 0 replicas"


def test_a_gateway_is_shown_with_the_address_at_which_it_is_reached() -> None:
    live = Live(
        {"spec": {"gatewayClassName": "istio-eastwest"}}, "", outputs={"endpoint": {"value": "1.2.3.4"}}
    )
    row = gateway(live, Place("e", "g"), "no pods", "gateway/a/g")
    assert (row.class_name, row.address, row.programmed, row.why) == (
        "istio-eastwest",
        "1.2.3.4",
        "-",
        "no pods",
    )
    assert gateway(replace(live, outputs={}), Place("e", "g"), "").address == ""


def test_a_missing_peer_has_a_row_with_its_target() -> None:
    state = replace(absent("link/a/b"), place=Place("istio-eastwest", "istio-remote-peer-b"))
    row = peer(state, SOLO.cluster("b"), SOLO.cluster("a"))
    assert (row.name, row.class_name, row.cluster, row.link, row.why, row.connected) == (
        "istio-remote-peer-b",
        "",
        "b",
        "b",
        "missing",
        "-",
    )


def test_the_own_peer_of_a_cluster_is_no_link(tmp_path: Any) -> None:
    one = healthy("automatic", tmp_path)
    state = ResourceState(absent("peer/a/a").key, "ready", "", found=one.live("peer/a/a"))
    row = peer(state, SOLO.cluster("a"), SOLO.cluster("a"))
    assert (row.own, row.link, row.connected) == (True, "", "True")


def test_a_peer_of_another_owner_is_judged_by_its_conditions_alone() -> None:
    meta = {"name": "p", "namespace": "e", "labels": {"topology.istio.io/network": "elsewhere"}}
    obj = {"metadata": meta, "spec": {"gatewayClassName": "istio-remote"}}
    row = other_peer(obj, "a")
    assert (row.network, row.link, row.why) == ("elsewhere", "", "PeerConnected is not reported yet")
    assert other_peer(obj, "elsewhere").why == ""


@pytest.mark.parametrize(
    ("status", "trouble", "connected"),
    [
        ({}, "", "True"),
        ({}, "stale: it leads to x", "False"),
        ({"refused": "no"}, "no", "False"),
        ({"unknown": "it did not answer"}, "it did not answer", "Unknown"),
    ],
)
def test_a_remote_secret_is_connected_only_if_nothing_is_wrong_with_it(
    status: Mapping[str, str], trouble: str, connected: str
) -> None:
    live = Live({"server": "https://x", "token": "t"}, "", status=status)
    state = ResourceState(absent("remote/a/b").key, "ready", "", trouble, found=live)
    row = remote(state, UPSTREAM.cluster("b"))
    assert (row.connected, row.address, row.why) == (connected, "https://x", trouble)
