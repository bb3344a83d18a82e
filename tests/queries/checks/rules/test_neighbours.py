"""What else is installed in a cluster: facts on one side, findings on the other."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from mesh.model import Unread
from mesh.queries.checks.facts import ClusterFacts
from mesh.world.pki import fingerprints_in
from tests.support.check_facts import (
    PASSED,
    Row,
    facts,
    holds,
    in_base64,
    istiod,
    obj,
    release,
    results,
    root_pem,
    row,
    scene,
    table,
)

GATEWAY_API = "gateway.networking.k8s.io"
BUNDLE, OWNER = f"{GATEWAY_API}/bundle-version", "meta.helm.sh/release-name"
SERVED = frozenset({f"{GATEWAY_API}/v1"})
ROOT = root_pem()


def crd(group: str, name: str = "things", **annotations: str) -> dict[str, Any]:
    return obj(f"{name}.{group}", "", annotations=annotations)


def gateway_api(*crds: dict[str, Any], groups: frozenset[str] = SERVED) -> ClusterFacts:
    return facts(crds=crds, groups=groups)


def istios(owner: str = "istio-base", **more: Any) -> ClusterFacts:
    found = {OWNER: owner} if owner else {}
    return facts(crds=[crd("networking.istio.io", **found), crd("example.com")], **{"releases": {}, **more})


def hook(*, policy: str = "Fail", ca: str = "", **more: Any) -> dict[str, Any]:
    rules = [{"resources": ["pods"], "apiGroups": [""]}]
    client = {"service": {"namespace": "a", "name": "b"}, **({"caBundle": in_base64(ca)} if ca else {})}
    one = {"name": "hook.example", "failurePolicy": policy, "rules": rules, "clientConfig": client, **more}
    return obj("config", "", kind="ValidatingWebhookConfiguration", webhooks=[one])


def hooked(*configs: dict[str, Any], ready: bool = True) -> ClusterFacts:
    endpoints = obj(
        "b-1", "a", labels={"kubernetes.io/service-name": "b"}, endpoints=[{"conditions": {"ready": ready}}]
    )
    return facts(validating=configs, mutating=[], endpoints=[endpoints])


def validated(ca: str, answer: str | Unread = "") -> ClusterFacts:
    config = obj("istiod", "", labels={"app": "istiod"}, webhooks=hook(ca=ca)["webhooks"])
    roots = {"default": fingerprints_in(ROOT)}
    tried = {"istio object": answer}
    return facts(deployments=[istiod()], validating=[config], published=roots, tried=tried)


OLD = obj("istiod-old", "default", labels={"app": "istiod", "istio.io/rev": "old"})
OPERATOR = obj("managed", "")

ROWS = (
    row(
        "P10",
        "error: another istiod exists: Deployment default/istiod-old, revision old",
        facts(deployments=[istiod(), OLD], controllers=[]),
    ),
    row(
        "P10",
        "error: the Gloo Operator manages an Istio here: ServiceMeshController managed",
        facts(deployments=[], controllers=[OPERATOR]),
    ),
    row("P10", PASSED, facts(deployments=[istiod(), obj("web", "shop")], controllers=[])),
    row(
        "P11",
        "error: webhook hook.example fails closed, but Service a/b has no ready endpoint",
        hooked(hook(), ready=False),
    ),
    row(
        "P11",
        "warning: webhook hook.example fails closed…",
        hooked(hook(objectSelector={"a": "b"}), ready=False),
    ),
    row(
        "P11",
        "error: the CA of webhook hook.example has expired",
        hooked(hook(ca=root_pem(ends=-timedelta(days=1)))),
    ),
    row("P11", PASSED, hooked(hook(ca=ROOT), hook(policy="Ignore"))),
    row("P11", PASSED, hooked(hook(policy="Ignore"), ready=False)),
    row(
        "P12",
        f"error: {GATEWAY_API}/v1 is not served (served: {GATEWAY_API}/v1beta1)",
        gateway_api(crd(GATEWAY_API), groups=frozenset({f"{GATEWAY_API}/v1beta1"})),
    ),
    row(
        "P12",
        "warning: the Gateway API CRDs come from several bundles: v1.2.0, v1.3.0",
        gateway_api(crd(GATEWAY_API, **{BUNDLE: "v1.3.0"}), crd(GATEWAY_API, "b", **{BUNDLE: "v1.2.0"})),
    ),
    row(
        "P12",
        "warning: Helm release other owns the Gateway API CRDs: its next upgrade may replace them",
        gateway_api(crd(GATEWAY_API, **{OWNER: "other"})),
    ),
    row("P12", PASSED, gateway_api(crd(GATEWAY_API, **{BUNDLE: "v1.3.0"}))),
    row("P12", "not applicable: the Gateway API is not installed yet", gateway_api(crd("example.com"))),
    row(
        "P13",
        "error: 1 Istio CRDs belong to Helm release old, expected istio-base: helm refuses to take them over",
        istios("old"),
    ),
    row("P13", "error: 1 Istio CRDs belong to no Helm release, expected istio-base: …", istios("")),
    row("P13", "warning: 1 Istio CRDs belong to no Helm release…", istios("", releases=release("base"))),
    row("P13", PASSED, istios()),
    row(
        "P14",
        "error: Helm release istiod has been pending-upgrade since 2026-01-01T00:00:00Z",
        facts(releases=release("istiod", status="pending-upgrade")),
    ),
    row(
        "P14",
        "warning: Helm release ztunnel has been failed since 2026-01-01T00:00:00Z",
        facts(releases=release("ztunnel", status="failed")),
    ),
    row("P14", PASSED, facts(releases=release("istiod"))),
    row("P14", "not applicable: Helm has installed nothing yet", facts(releases={})),
    row(
        "Q08",
        "error: the caBundle of webhook hook.example does not contain istiod's root of trust",
        validated(root_pem()),
    ),
    row("Q08", "error: a dry run of a ServiceEntry is rejected: no", validated(ROOT, "no")),
    row("Q08", PASSED, validated(ROOT)),
    row(
        "Q08",
        "skipped: namespace a does not exist yet",
        validated(ROOT, Unread("namespace a does not exist yet")),
    ),
)


@table(ROWS)
def test_facts_lead_to_these_findings(row: Row) -> None:
    holds(row)


def test_a_pending_release_is_recovered_and_a_failed_one_applied_again() -> None:
    fixes = [
        results("P14", scene(facts(releases=release("istiod", status=status))))[0].findings[0].fix
        for status in ("pending-upgrade", "failed")
    ]
    assert fixes == ["mesh recover chart/cluster1/istiod", "mesh apply"]
