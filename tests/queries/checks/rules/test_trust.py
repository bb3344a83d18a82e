"""Roots of trust and intermediate certificates: facts on one side, findings on the other."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from mesh.model import Unread
from mesh.queries.checks.facts import ClusterFacts
from tests.support.check_facts import (
    NOW,
    PASSED,
    Row,
    authority,
    certificate,
    facts,
    holds,
    istiod,
    mesh_config,
    obj,
    results,
    row,
    scene,
    space,
    table,
    told,
)


def signing(*of: Any, cluster: str = "cluster1", **more: Any) -> ClusterFacts:
    return facts(cluster, authority=authority(*of, **more))


def there(*of: Any) -> ClusterFacts:
    return signing(*of, cluster="cluster2")


def publishing(
    published: dict[str, frozenset[str]], *spaces: dict[str, Any], config: str = "{}"
) -> ClusterFacts:
    about = {"authority": authority(), "published": published}
    return facts(deployments=[istiod()], namespaces=spaces, configs=[mesh_config(config)], **about)


ENDING = space("gone") | {"status": {"phase": "Terminating"}}
ROOT = {"shop": frozenset({"root"})}
ONE_TEAM = "discoverySelectors: [{matchLabels: {team: a}}]"

ROWS = (
    row("P17", "error: cacerts: ca-key.pem: it is missing", signing(problems=("ca-key.pem: it is missing",))),
    row(
        "P17",
        "error: Secret cacerts is missing: istiod signs with a self-signed root, which no peer trusts",
        facts(authority=None, deployments=[istiod()], secrets=[obj("istio-ca-secret")]),
    ),
    row("P17", PASSED, signing()),
    row("P17", "not applicable: neither Secret cacerts nor istiod…", facts(authority=None, deployments=[])),
    row("P17", "skipped: may not list secrets", facts(authority=Unread("may not list secrets"))),
    row(
        "P18",
        "error: the clusters have different roots of trust (cluster1: a; cluster2: b)",
        signing("own", "a"),
        there("own", "b"),
    ),
    row(
        "P18",
        "warning: the clusters have different roots of trust…",
        signing("own", "a"),
        there("own", "a", "b"),
    ),
    row("P18", PASSED, signing("own", "a", "b"), there("own", "b", "a")),
    row("P18", "not applicable: fewer than two clusters have a root of trust", signing()),
    row("P18", "skipped: cluster2: it was not read", signing(), facts("cluster2")),
    row(
        "P19",
        "warning: cluster1 and cluster2 sign with the same intermediate certificate",
        signing(),
        there(),
    ),
    row("P19", PASSED, signing("one"), there("two")),
    row("P19", "not applicable: no cluster has an intermediate certificate yet", facts(authority=None)),
    row(
        "P20",
        "warning: the intermediate certificate expires on 2026-03-01 00:00 UTC, in 59 days",
        signing(left=timedelta(days=59)),
    ),
    row(
        "P20", "error: the intermediate certificate expires on 2026-01-14…", signing(left=timedelta(days=13))
    ),
    row("P20", PASSED, signing(left=timedelta(days=60))),
    row("P20", "not applicable: Secret cacerts does not exist yet", facts(authority=None)),
    row(
        "M07",
        (
            "error: cluster1 does not trust certificates signed by cluster2",
            "error: cluster2 does not trust certificates signed by cluster1",
        ),
        signing("own", "a"),
        there("own", "b"),
    ),
    row(
        "M07",
        "error: cluster1 does not trust certificates signed by cluster2",
        signing("o", "a"),
        there("o", "b", "a"),
    ),
    row("M07", PASSED, signing("own", "a", "b"), there("own", "b", "a")),
    row("M07", "not applicable: fewer than two clusters have an intermediate certificate", signing()),
    row("Q04", "error: namespace shop has no ConfigMap istio-ca-root-cert", publishing({}, space("shop"))),
    row(
        "Q04",
        "error: ConfigMap istio-ca-root-cert in namespace shop differs from the root of trust in cacerts",
        publishing({"shop": frozenset({"old"})}, space("shop")),
    ),
    row("Q04", PASSED, publishing(ROOT, space("shop"), ENDING)),
    row("Q04", PASSED, publishing(ROOT, space("shop"), space("kube-public"), space("kube-node-lease"))),
    row("Q04", PASSED, publishing(ROOT, space("shop", team="a"), space("other"), config=ONE_TEAM)),
    row(
        "Q04",
        "skipped: ConfigMap istio-system/istio cannot be read: discoverySelectors…",
        publishing(ROOT, space("shop"), config="discoverySelectors: [all]"),
    ),
    row(
        "Q04",
        "error: namespace other has no ConfigMap istio-ca-root-cert",
        publishing(ROOT, space("shop"), space("other", team="a"), config=ONE_TEAM),
    ),
)


@table(ROWS)
def test_facts_lead_to_these_findings(row: Row) -> None:
    holds(row)


@pytest.mark.parametrize(
    ("life", "left", "outcome"),
    [
        (timedelta(days=90), timedelta(days=31), "passed"),
        (timedelta(days=90), timedelta(days=29), "warning"),
        (timedelta(days=90), timedelta(days=7), "error"),
        (timedelta(days=10), timedelta(days=3), "warning"),
        (timedelta(days=10), timedelta(hours=47), "error"),
    ],
)
def test_a_short_lived_certificate_is_judged_by_a_share_of_its_life(
    life: timedelta, left: timedelta, outcome: str
) -> None:
    own = replace(certificate("own"), not_before=NOW + left - life, not_after=NOW + left)
    found = facts(authority=replace(authority(), certificate=own))
    assert told("P20", scene(found))[0].partition(":")[0] == outcome


def test_no_apply_is_recommended_for_a_root_that_ends() -> None:
    ending = replace(authority(), root=certificate("root", left=timedelta(days=59)))
    [found] = results("P20", scene(facts(authority=ending)))[0].findings
    assert found.says.startswith("the root of trust expires on 2026-03-01")
    assert (found.fix, found.about) == (
        "replace the root of trust: see docs/explanation/root-of-trust.md",
        None,
    )


def test_the_hint_about_a_shared_intermediate_names_the_cluster_to_look_at() -> None:
    [found] = results("P19", scene(signing(), there()))[0].findings
    assert found.fix == "kubectl --context cluster2 -n istio-system get secret cacerts"
