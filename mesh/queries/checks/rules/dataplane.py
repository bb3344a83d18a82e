"""Checks of what only a pod reports: istiod's licence and metrics, ztunnel's certificates and workloads."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from mesh.istio.addresses import connection_key
from mesh.model import Attrs, Unread
from mesh.model.bounded_text import SMALL, Unfit, from_base64, loads
from mesh.queries.checks.facts import ClusterFacts, MeshFacts, read
from mesh.queries.checks.model import Finding, Findings, NotApplicable, Severity, Skip
from mesh.queries.checks.paste import word
from mesh.queries.checks.rules.apps import shared
from mesh.world.shapes import fitted, moment

METRIC = re.compile(r"^(\w+)(?:\{[^}]*\})? ([0-9.eE+-]+)$", re.MULTILINE)
BAD_LICENCE = re.compile("invalid|expired|unset", re.IGNORECASE)
EXPIRIES = ("citadel_server_root_cert_expiry_seconds", "citadel_server_cert_chain_expiry_seconds")
DAY = timedelta(days=1).total_seconds()


def licence(scene: MeshFacts, facts: ClusterFacts) -> Findings:
    """M02: verify that istiod accepts its licence.

    Only istiod can judge a key: it reports UNSET, INVALID or EXPIRED at /debug/license.
    """
    del scene
    said = str(read(facts.ports.get("licence")))
    if found := BAD_LICENCE.search(said):
        yield Finding(f"istiod reports that its licence is {found[0].lower()}", {"answer": said[:200]})


def _metrics(facts: ClusterFacts) -> dict[str, float]:
    """Each metric summed over its labels."""
    totals: dict[str, float] = {}
    for name, value in METRIC.findall(str(read(facts.ports.get("metrics")))):
        totals[name] = totals.get(name, 0.0) + float(value)
    return totals


def ca_clock(scene: MeshFacts, facts: ClusterFacts) -> Findings:
    """Q06: verify that istiod signs with the certificate in cacerts, and that it has more than a day left.

    istiod keeps its old CA when it refuses a new one (a root outside the old bundle), and only logs it: the
    Secret alone does not show what it signs with.
    """
    told = _metrics(facts)
    if EXPIRIES[1] not in told:
        raise Skip(f"istiod does not expose the metric {EXPIRIES[1]}")
    authority = read(facts.authority)
    own = authority.certificate if authority else None
    for name in EXPIRIES:
        left = told.get(name)
        if left is not None and left < DAY:
            yield Finding(
                f"istiod reports {name} = {left:.0f}, less than a day", {"metric": name, "seconds": left}
            )
    left = told.get(EXPIRIES[1])
    if own and left and abs(left - (own.not_after - scene.now).total_seconds()) > DAY:
        yield Finding(
            "istiod does not sign with the certificate in cacerts",
            {"istiod": left, "cacerts": own.not_after.isoformat()},
            severity=Severity.WARNING,
        )


def ca_errors(scene: MeshFacts, facts: ClusterFacts) -> Findings:
    """Q07: verify that istiod has denied no certificate request; a pod without a certificate has no mTLS."""
    del scene
    yield from _counted(
        _metrics(facts), ("citadel_server_csr_sign_err_count", "citadel_server_authentication_failure_count")
    )


def rejects(scene: MeshFacts, facts: ClusterFacts) -> Findings:
    """Q18: verify that no proxy has rejected istiod's configuration; it keeps the last accepted one."""
    del scene
    yield from _counted(_metrics(facts), ("pilot_total_xds_rejects",))


def _counted(told: Mapping[str, float], names: tuple[str, ...]) -> Iterator[Finding]:
    for name in names:
        if told.get(name, 0) > 0:
            yield Finding(
                f"istiod reports {name} = {told[name]:.0f}, expected 0", {"metric": name, "value": told[name]}
            )


def leaves(scene: MeshFacts, facts: ClusterFacts) -> Findings:
    """Q05: verify that every certificate that ztunnel holds is available and has not expired.

    A ztunnel that cannot renew keeps working until its certificates expire, then all its connections fail.
    """
    namespace = facts.cluster.charts["ztunnel"].namespace
    for pod, text in sorted(_dumps(facts).items()):
        fix = f"kubectl --context {{context}} -n {word(namespace)} delete pod {word(pod)}"
        for each in _dump(text).get("certificates", []):
            if problem := _invalid(each, scene.now):
                identity = each.get("identity", "")
                says = f"{pod}: the certificate of {identity} {problem}"
                yield Finding(says, {"pod": pod, "identity": identity, "problem": problem}, fix=fix)


def _invalid(held: Mapping[str, Any], now: datetime) -> str:
    """What is wrong with a certificate of a dump, "" for nothing; the first of a chain is the workload's."""
    if (state := held.get("state", "")) != "Available":
        return f"is {state}, expected Available"
    ends = [moment(each["expirationTime"]) for each in held.get("certChain", [])[:1]]
    return "has expired" if ends and ends[0] <= now else ""


def _dumps(facts: ClusterFacts) -> dict[str, str]:
    told = read(facts.ports.get("ztunnels"))
    for answer in told.values():
        if isinstance(answer, Unread):
            raise Skip(answer.why)
    return dict(told)


DUMP = {
    "certificates": [
        {
            "identity": str,
            "state": str,
            "certChain": [{"expirationTime!": str}],
            "rootCerts": [{"pem": str}],
        }
    ],
    "workloads": [{"network": str}],
}


def _dump(text: str) -> Mapping[str, Any]:
    """Return the dump of a ztunnel, as far as checks look at it; raise Skip for another text."""
    try:
        found: Mapping[str, Any] = fitted(loads(text), DUMP)
    except Unfit as error:
        raise Skip(f"the dump of ztunnel cannot be used: {error}") from None
    return found


def signer(scene: MeshFacts, facts: ClusterFacts) -> Findings:
    """Q03: verify that the root of trust that ztunnel holds is the one in cacerts.

    ztunnel receives roots only with a new certificate, at half of its lifetime; nothing pushes them.
    """
    del scene
    from mesh.world import pki

    authority = read(facts.authority)
    if authority is None or not authority.roots:
        raise Skip("cacerts contains no root of trust")
    roots = {each.fingerprint for each in authority.roots}
    looked = 0
    for pod, text in sorted(_dumps(facts).items()):
        for each in _dump(text).get("certificates", []):
            held = [_pem(cert) for cert in each.get("rootCerts", [])]
            for found in (pki.fingerprints_in(pem) for pem in held if pem):
                looked += 1
                if not found & roots:
                    yield Finding(
                        f"{pod}: the root of trust held for {each.get('identity', '')} is not in cacerts",
                        {"pod": pod, "roots": sorted(found), "cacerts": sorted(roots)},
                    )
    if not looked:
        raise Skip("no ztunnel holds a certificate yet")


def _pem(cert: Mapping[str, Any]) -> str:
    """A certificate of a dump: PEM, in base64."""
    try:
        return from_base64(cert.get("pem", ""), SMALL).decode("ascii", "replace")
    except Unfit:
        return ""


def knows_peers(scene: MeshFacts, facts: ClusterFacts) -> Findings:
    """Q12: verify that every ztunnel knows workloads of each linked cluster that shares a Service.

    A peer can be connected and in sync while its workloads have not reached the nodes.
    """
    names = {link.target for link in scene.mesh.links if link.source == facts.name}
    wanted = {scene.mesh.cluster(name).network: name for name in names if _shares(scene, name)}
    if not wanted:
        raise NotApplicable("no linked cluster shares a Service")
    for pod, text in sorted(_dumps(facts).items()):
        known = {each.get("network", "") for each in _dump(text).get("workloads", [])}
        for network in sorted(wanted.keys() - known):
            yield Finding(
                f"{pod} knows no workload of network {network}",
                {"pod": pod, "network": network},
                connection_key(scene.mesh, facts.name, wanted[network]),
            )


def _shares(scene: MeshFacts, name: str) -> bool:
    return not scene.clusters[name].unreachable and bool(shared(scene.clusters[name]))


def analysed(scene: MeshFacts, facts: ClusterFacts) -> Findings:
    """Q21: verify that `istioctl analyze` reports nothing.

    It judges the user's own Istio objects, which mesh does not read.
    """
    found: Mapping[str, tuple[Attrs, ...]] = read(scene.analysis)
    for each in found.get(facts.name, ()):
        level = {"Error": Severity.ERROR, "Warning": Severity.WARNING}.get(
            str(each.get("level")), Severity.INFO
        )
        yield Finding(f"{each.get('code')}: {each.get('message')}", _plain(each), severity=level)


def _plain(found: Attrs) -> dict[str, Any]:
    return {name: found[name] for name in ("code", "level", "origin", "documentationUrl") if name in found}
