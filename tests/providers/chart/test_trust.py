"""The root of trust that an istiod publishes, and the trust domain of its identities."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from mesh.errors import KubeError
from mesh.model import Live
from mesh.providers.chart.trust import (
    other_identities,
    published,
    refuse_reissue,
    second_istiod,
    trust_domains,
    unpublished,
)
from mesh.world import Object, pki
from mesh.world.helm.releases import ReleaseView
from tests.providers.chart.releases import secret, view
from tests.support.check_facts import NOW
from tests.support.check_server import Server, snapshot

A, B = "sha256:a", "sha256:b"


def running(**mesh_config: Any) -> ReleaseView:
    return view(secret(config={"meshConfig": mesh_config}))


def shows(found: dict[str, set[str]], **mesh_config: Any) -> Live:
    return Live({}, "", status={"view": running(**mesh_config), "published": found})


def domain(name: str) -> dict[str, Any]:
    return {"meshConfig": {"trustDomain": name}}


def root_map(namespace: str, pem: str) -> Object:
    return {
        "metadata": {"name": "istio-ca-root-cert", "namespace": namespace},
        "data": {"root-cert.pem": pem},
    }


def test_the_published_roots_are_fingerprints_by_namespace() -> None:
    pem = pki.issue_root(pki.new_key("ecdsa-p256"), "prod", validity=timedelta(days=1), now=NOW)
    found = published(snapshot(Server({"configmaps": [root_map("b", pem), root_map("a", "")]})))
    assert found == {"a": frozenset(), "b": frozenset({pki.describe(pem).fingerprint})}
    assert list(found) == ["a", "b"]


def test_roots_that_cannot_be_read_are_not_judged() -> None:
    assert published(snapshot(Server(fails={"configmaps": KubeError("no")}))) == {}


@pytest.mark.parametrize("shown", [{"istio-system": {A}}, {"istio-system": {A, B}}, {"other": {B}}, {}])
def test_a_namespace_with_the_root_or_without_any_is_not_stale(shown: dict[str, set[str]]) -> None:
    assert unpublished(A, ["istio-system"], shows(shown)) == []


def test_the_namespaces_with_another_root_are_named_in_order() -> None:
    (why,) = unpublished(A, ["z", "default", "b"], shows({"z": {B}, "default": {A}, "b": {B}}))
    assert why.startswith(f"istio-ca-root-cert in b, z is root {B}, not {A}: ")


def test_a_published_text_without_a_root_is_stale() -> None:
    (why,) = unpublished(A, ["b"], shows({"b": set()}))
    assert f"in b is root none, not {A}" in why


def test_the_namespace_of_users_is_skipped_if_istiod_selects_namespaces() -> None:
    stale = {"default": {B}}
    assert unpublished(A, ["default"], shows(stale))
    assert unpublished(A, ["default"], shows(stale, discoverySelectors=[{"matchLabels": {}}])) == []


@pytest.mark.parametrize(
    ("before", "values", "domains"),
    [
        ({}, {}, ("cluster.local", "cluster.local")),
        ({}, domain("prod"), ("cluster.local", "prod")),
        ({"trustDomain": "old"}, {}, ("old", "old")),
        ({"trustDomain": "old"}, domain("prod"), ("old", "prod")),
        ({"trustDomain": "old"}, domain("old"), ("old", "old")),
    ],
)
def test_another_trust_domain_is_refused_and_described(
    before: dict[str, str], values: dict[str, Any], domains: tuple[str, str]
) -> None:
    found, same = running(**before), domains[0] == domains[1]
    assert trust_domains(values, found) == domains
    assert (refuse_reissue(values, found) == "") is same
    assert other_identities(values, found) == (
        "" if same else f"the trust domain changes from {domains[0]} to {domains[1]}"
    )


def test_the_refusal_says_how_to_keep_the_old_trust_domain() -> None:
    why = refuse_reissue(domain("prod"), running(trustDomain="old"))
    assert "issues identities of trust domain old, the configuration says prod" in why
    assert "set trustDomain: old for the cluster" in why


def test_a_first_install_that_failed_issues_what_its_values_say() -> None:
    failed = replace(running(trustDomain="prod"), deployed=None)
    assert refuse_reissue(domain("prod"), failed) == ""
    assert "issues identities of trust domain prod" in refuse_reissue(domain("other"), failed)


@pytest.mark.parametrize(
    ("deployments", "words"),
    [
        ([], ""),
        ([{"name": "istiod"}], "Deployment x/istiod, by an unknown owner; "),
        ([{"name": "istiod", "labels": {"meshform.io/mesh": "demo"}}], "Deployment x/istiod, by demo; "),
        ([{"name": "istiod-gloo"}], "the Gloo Operator runs istiod here (x/istiod-gloo): "),
    ],
)
def test_an_istiod_that_helm_did_not_install_is_named(deployments: list[dict[str, Any]], words: str) -> None:
    server: Any = Server({"deployments": [{"metadata": {"namespace": "x", **one}} for one in deployments]})
    why = second_istiod(server, "istio-system")
    assert words in why
    assert bool(why) is bool(deployments)
