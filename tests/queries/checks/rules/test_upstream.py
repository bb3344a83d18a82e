"""Upstream Istio only: facts on one side, findings on the other."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import Any

import pytest

from mesh.istio.addresses import chart_key, remote_key
from mesh.model import Action, Place, Step, Unread
from mesh.queries.checks import run
from mesh.queries.checks.facts import ClusterFacts
from mesh.queries.checks.rules.upstream import public
from mesh.sdk.contract import Last
from mesh.state.lockfile import Entry, fresh
from tests.support.check_facts import (
    PASSED,
    UPSTREAM,
    Row,
    facts,
    holds,
    in_base64,
    istiod,
    mesh_config,
    obj,
    plan,
    row,
    scene,
    table,
)

SERVER = "https://10.0.0.1:6443"
MODES = {"AMBIENT_ENABLE_MULTI_NETWORK": "true", "PILOT_ENABLE_AMBIENT": "true"}
LAB = replace(UPSTREAM, clusters=tuple(replace(each, allow_loopback=True) for each in UPSTREAM.clusters))
CLUSTER = "networking.istio.io/cluster"


def remote(
    server: str = SERVER, *, of: str = "cluster2", problem: str | Unread = "", **more: Any
) -> ClusterFacts:
    config = {"server": server, "has ca": True, "has token": True, "expires": True, **more}
    secret = obj("remote", annotations={CLUSTER: "cluster2"}, remote={of: config})
    return facts(deployments=[istiod()], secrets=[secret], remotes={"cluster2": problem})


def trusting(name: str, domain: str) -> ClusterFacts:
    text = f"trustDomain: {domain}\n" if domain else ""
    return facts(name, deployments=[istiod()], configs=[mesh_config(text or "{}\n")])


def running(**env: str) -> ClusterFacts:
    return facts(deployments=[istiod(**env)])


def knowing(*told: tuple[str, str], networks: tuple[str, ...] | None = None) -> ClusterFacts:
    """What istiod says of other clusters; `networks` are those of the workloads that it knows."""
    ports = {"clusters": json.dumps([{"id": name, "syncStatus": status} for name, status in told])}
    if networks is not None:
        ports["known"] = json.dumps({"workloads": [{"network": each} for each in networks]})
    return facts(deployments=[istiod()], ports=ports)


def upstream(check: str, lines: str | tuple[str, ...], *clusters: ClusterFacts, **more: Any) -> Row:
    return row(check, lines, *clusters, **{"mesh": UPSTREAM, **more})


LOOPBACK = "https://127.0.0.1:6443"
TWO = "a in cluster1; b in cluster2"
REFUSED = "its token is no longer accepted by cluster cluster2"

ROWS = (
    upstream(
        "P21",
        (
            f"error: the trust domains differ: {TWO}; expected cluster.local in cluster1",
            f"error: the trust domains differ: {TWO}; expected cluster.local in cluster2",
        ),
        trusting("cluster1", "a"),
        trusting("cluster2", "b"),
    ),
    upstream("P21", PASSED, trusting("cluster1", "cluster.local"), trusting("cluster2", "")),
    upstream(
        "P24", "error: istiod lacks AMBIENT_ENABLE_MULTI_NETWORK=true", running(PILOT_ENABLE_AMBIENT="1")
    ),
    upstream("P24", PASSED, running(**MODES)),
    upstream(
        "P26",
        f"error: remote secret istio-system/remote has loopback address {LOOPBACK}…",
        remote(LOOPBACK),
    ),
    upstream("P26", PASSED, remote()),
    upstream("P26", PASSED, remote(LOOPBACK), mesh=LAB),
    upstream("P26", "not applicable: no remote secret exists", facts(secrets=[obj("other")])),
    row("P26", "not applicable: applies to upstream only", remote(LOOPBACK)),
    upstream(
        "Q09", "error: remote secret istio-system/remote: it has no token", remote(**{"has token": False})
    ),
    upstream(
        "Q09",
        "error: remote secret istio-system/remote: it has no CA certificate of the API server",
        remote(**{"has ca": False}),
    ),
    upstream(
        "Q09",
        (
            "error: remote secret istio-system/remote: it is for far, which is not part of this mesh",
            "error: remote secret istio-system/remote: its annotation names another cluster",
        ),
        remote(of="far"),
    ),
    upstream("Q09", f"error: the link to cluster2: {REFUSED}", remote(problem=REFUSED)),
    upstream("Q09", "skipped: forbidden", remote(problem=Unread("forbidden"))),
    upstream("Q09", PASSED, remote()),
    upstream("Q10", "error: istiod has not synced with cluster2: syncing", knowing(("cluster2", "syncing"))),
    upstream("Q10", "error: istiod has not synced with cluster2: unknown to istiod", knowing()),
    upstream("Q10", PASSED, knowing(("cluster2", "synced"))),
    upstream("Q10", PASSED, knowing(("cluster2", "synced"), networks=("cluster1", "cluster2"))),
    upstream(
        "Q10",
        "error: istiod has synced with cluster2, but knows no gateway of network cluster2",
        knowing(("cluster2", "synced"), networks=("cluster1",)),
    ),
    upstream(
        "Q23",
        "info: remote secret istio-system/remote holds a token for cluster2 that never expires",
        remote(expires=False),
    ),
    upstream("Q23", PASSED, remote()),
)


@table(ROWS)
def test_facts_lead_to_these_findings(row: Row) -> None:
    holds(row)


def kubeconfig(token: str) -> str:
    cluster = {"cluster": {"server": SERVER, "certificate-authority-data": "YQ=="}}
    return json.dumps({"clusters": [cluster], "users": [{"user": {"token": token}}]})


def jwt(claims: dict[str, Any]) -> str:
    part = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"e30.{part}.signature"


@pytest.mark.parametrize(
    ("token", "has_token", "expires"),
    [("", False, False), ("opaque", True, False), (jwt({}), True, False), (jwt({"exp": 1}), True, True)],
)
def test_of_a_token_only_its_existence_and_end_are_kept(token: str, has_token: bool, expires: bool) -> None:
    found = public({"data": {"cluster2": in_base64(kubeconfig(token))}})
    kept = {"server": SERVER, "has ca": True, "has token": has_token, "expires": expires}
    assert found == {"cluster2": kept}


def test_data_that_is_no_base64_or_no_kubeconfig_has_no_fields() -> None:
    assert public({"data": {"a": "%%%", "b": base64.b64encode(b"[]").decode()}}) == {"a": {}, "b": {}}


def test_what_a_plan_changes_is_not_held_against_it() -> None:
    mended = Step(Action.UPDATE, chart_key("cluster1", "istiod"))
    domains = (trusting("cluster1", "wrong"), trusting("cluster2", "cluster.local"))
    assert refused("P21", Step(Action.UPDATE, chart_key("cluster2", "istiod")), *domains)
    assert not refused("P21", mended, *domains)
    # A remote secret of a cluster that left the file is known by its place.
    gone = Step(Action.DELETE, remote_key("cluster1", "cluster3"))
    state = fresh("demo")
    entry = Entry(Last(Place("istio-system", "remote")))
    known = replace(state, entries={gone.key: entry})
    assert refused("P26", gone, remote(LOOPBACK, of="far"))
    assert not refused("P26", gone, remote(LOOPBACK, of="far"), state=known)


def refused(check: str, step: Step, *clusters: ClusterFacts, **more: Any) -> list[str]:
    """What a check finds before the apply of one step."""
    one = scene(*clusters, mesh=UPSTREAM, plan=plan(step), **more)
    report = run.before_apply(one, ())
    return [each.says for result in report.results if result.check.id == check for each in result.findings]
