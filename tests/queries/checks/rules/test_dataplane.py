"""What pods report of the data plane: facts on one side, findings on the other."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from mesh.model import Unread
from mesh.queries.checks.facts import ClusterFacts
from mesh.world.pki import describe
from tests.support.check_facts import (
    NOW,
    PASSED,
    UPSTREAM,
    Row,
    authority,
    facts,
    holds,
    in_base64,
    istiod,
    results,
    root_pem,
    row,
    scene,
    service,
    table,
)

CHAIN = "citadel_server_cert_chain_expiry_seconds"
ROOT = "citadel_server_root_cert_expiry_seconds"
ERRORS = "citadel_server_csr_sign_err_count"
SILENT = Unread("no data plane: refused")
YEAR = timedelta(days=365).total_seconds()


def answering(*, authority: Any = None, **ports: Any) -> ClusterFacts:
    return facts(deployments=[istiod()], authority=authority, ports=ports)


def metrics(*lines: str, **more: Any) -> ClusterFacts:
    return answering(metrics="".join(f"{line}\n" for line in lines), **more)


def dump(
    *, state: str = "Available", ends: datetime = NOW + timedelta(hours=1), network: str = "cluster2"
) -> str:
    cert = {"identity": "spiffe://a", "state": state, "certChain": [{"expirationTime": ends.isoformat()}]}
    return json.dumps({"certificates": [cert], "workloads": [{"network": network}]})


def ztunnel(text: str | Unread) -> ClusterFacts:
    return answering(ztunnels={"zt-1": text})


SHARES = facts("cluster2", services=[service(**{"solo.io/service-scope": "global"})], namespaces=[])
ALONE = facts("cluster2", services=[], namespaces=[])
ANALYSIS = {"code": "IST0101", "level": "Error", "message": "not found"}

ROOT_PEM, OTHER_PEM = root_pem(), root_pem()
ISTIODS_ROOT = replace(authority(), roots=(describe(ROOT_PEM),))


def holding(*pems: str, **more: Any) -> ClusterFacts:
    """A ztunnel with a certificate under some roots, next to a `cacerts`."""
    certs = [{"identity": "spiffe://a", "rootCerts": [{"pem": in_base64(each)} for each in pems]}]
    text = json.dumps({"certificates": certs})
    return answering(ztunnels={"zt-1": text}, **{"authority": ISTIODS_ROOT, **more})


ROWS = (
    row("Q03", "error: zt-1: the root of trust held for spiffe://a is not in cacerts", holding(OTHER_PEM)),
    row("Q03", PASSED, holding(ROOT_PEM)),
    row("Q03", "skipped: no ztunnel holds a certificate yet", holding()),
    row("Q03", "skipped: cacerts contains no root of trust", holding(ROOT_PEM, authority=None)),
    row(
        "M02", "error: istiod reports that its licence is expired", answering(licence='{"state": "EXPIRED"}')
    ),
    row("M02", PASSED, answering(licence='{"state": "VALID"}')),
    row("M02", "skipped: no data plane", answering(licence=Unread("no data plane"))),
    row(
        "Q05",
        "error: zt-1: the certificate of spiffe://a is Initializing, expected Available",
        ztunnel(dump(state="Initializing")),
    ),
    row("Q05", "error: zt-1: the certificate of spiffe://a has expired", ztunnel(dump(ends=NOW))),
    row("Q05", PASSED, ztunnel(dump())),
    row("Q05", "skipped: no data plane: refused", ztunnel(SILENT)),
    row(
        "Q06",
        f"error: istiod reports {CHAIN} = 3600, less than a day",
        metrics(f"{ROOT} 900000", f"{CHAIN} 3600"),
    ),
    row(
        "Q06",
        "warning: istiod does not sign with the certificate in cacerts",
        metrics(f"{CHAIN} 900000", authority=authority()),
    ),
    row("Q06", PASSED, metrics(f"{CHAIN} {YEAR:.0f}", authority=authority())),
    row("Q06", f"skipped: istiod does not expose the metric {CHAIN}", metrics(f"{ROOT} 900000")),
    row(
        "Q07",
        f"warning: istiod reports {ERRORS} = 5, expected 0",
        metrics(f'{ERRORS}{{code="1"}} 3', f'{ERRORS}{{code="2"}} 2'),
    ),
    row("Q07", PASSED, metrics(f"{ERRORS} 0")),
    row(
        "Q12", "error: zt-1 knows no workload of network cluster2", ztunnel(dump(network="cluster1")), SHARES
    ),
    row("Q12", PASSED, ztunnel(dump()), SHARES),
    row("Q12", "not applicable: no linked cluster shares a Service", ztunnel(dump()), ALONE),
    row(
        "Q12",
        "error: zt-1 knows no workload of network cluster2",
        ztunnel(dump(network="")),
        SHARES,
        mesh=UPSTREAM,
    ),
    row(
        "Q18",
        "warning: istiod reports pilot_total_xds_rejects = 2, expected 0",
        metrics("pilot_total_xds_rejects 2"),
    ),
    row("Q18", PASSED, metrics("pilot_total_xds_rejects 0")),
    row("Q21", "error: IST0101: not found", answering(), analysis={"cluster1": (ANALYSIS,)}),
    row(
        "Q21",
        "info: IST0118: port",
        answering(),
        analysis={"cluster1": ({"code": "IST0118", "level": "Info", "message": "port"},)},
    ),
    row("Q21", PASSED, answering(), analysis={"cluster1": ()}),
    row("Q21", "skipped: istioctl is not on PATH", answering(), analysis=Unread("istioctl is not on PATH")),
)


@table(ROWS)
def test_facts_lead_to_these_findings(row: Row) -> None:
    holds(row)


def test_the_hint_restarts_the_ztunnel_that_holds_the_certificate() -> None:
    [found] = results("Q05", scene(ztunnel(dump(ends=NOW))))[0].findings
    assert found.fix == "kubectl --context {context} -n istio-system delete pod zt-1"
