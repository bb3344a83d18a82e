"""What only the port of a pod can tell: the API server's proxy finds pods that a test answers for."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mesh.queries.checks.model import CheckStatus
from tests.lab.standin.hand import eventually
from tests.queries.checks.on_lab.changes import Change, gone, made, nothing, shown
from tests.queries.checks.on_lab.conftest import Rig, says, states
from tests.support.voices import Answers, speaking

LICENCE, METRICS, DUMP = "15014/debug/license", "15014/metrics", "15000/config_dump"
SHARED = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "shop", "namespace": "default", "labels": {"solo.io/service-scope": "global"}},
    "spec": {"ports": [{"port": 80}]},
}
Said = Callable[[Rig], Mapping[str, str]]


@dataclass(frozen=True)
class Told:
    """What pods say when something is wrong, what comes of it, and what they say when all is well."""

    check: str
    wrong: Said
    says: str
    right: Said
    before: Change = nothing
    after: Change = nothing


def plain(path: str, text: str) -> Said:
    return lambda _rig: {path: text}


def dump(
    *, state: str = "Available", ends: timedelta = timedelta(hours=1), root: str = "", network: str = ""
) -> str:
    """A dump of ztunnel with one certificate and one workload, in its own words."""
    cert: dict[str, Any] = {"identity": "spiffe://cluster1.local/ns/a/sa/b", "state": state}
    cert["certChain"] = [{"expirationTime": (datetime.now(UTC) + ends).isoformat()}]
    cert["rootCerts"] = [{"pem": base64.b64encode(root.encode()).decode()}] if root else []
    return json.dumps({"certificates": [cert], "workloads": [{"network": network}]})


def seconds_left(rig: Rig) -> Mapping[str, str]:
    """The metrics of an istiod that signs with what is in `cacerts`."""
    from mesh.world import pki

    held = {name: base64.b64encode(text.encode()).decode() for name, text in shown(rig, "cluster1").items()}
    now = datetime.now(UTC)
    own = pki.inspect_bundle(pki.bundle_from(held), now).certificate
    assert own is not None
    left = (own.not_after - now).total_seconds()
    return {METRICS: f"citadel_server_cert_chain_expiry_seconds {left:.0f}\n"}


def of_root(pem: Callable[[Rig], str]) -> Said:
    return lambda rig: {DUMP: dump(root=pem(rig))}


ERRORS = 'citadel_server_csr_sign_err_count{error="x"} 3\n'
TOLD = (
    Told(
        "M02",
        plain(LICENCE, '{"state": "EXPIRED"}'),
        "istiod reports that its licence is expired",
        plain(LICENCE, '{"state": "VALID"}'),
    ),
    Told(
        "Q03",
        of_root(lambda rig: rig.root.pem),
        "the root of trust held for spiffe://cluster1.local/ns/a/sa/b is not in cacerts",
        of_root(lambda rig: shown(rig, "cluster1")["root-cert.pem"]),
    ),
    Told(
        "Q05",
        plain(DUMP, dump(ends=-timedelta(hours=1))),
        "the certificate of spiffe://cluster1.local/ns/a/sa/b has expired",
        plain(DUMP, dump(ends=timedelta(days=1))),
    ),
    Told(
        "Q06",
        plain(METRICS, "citadel_server_cert_chain_expiry_seconds 3600\n"),
        "istiod reports citadel_server_cert_chain_expiry_seconds = 3600",
        seconds_left,
    ),
    Told(
        "Q07",
        plain(METRICS, ERRORS),
        "istiod reports citadel_server_csr_sign_err_count = 3",
        plain(METRICS, "citadel_server_csr_sign_err_count 0\n"),
    ),
    Told(
        "Q12",
        plain(DUMP, dump(network="cluster1")),
        "knows no workload of network cluster2",
        plain(DUMP, dump(network="cluster2")),
        before=made(SHARED, cluster="cluster2"),
        after=gone(SHARED, cluster="cluster2"),
    ),
    Told(
        "Q18",
        plain(METRICS, 'pilot_total_xds_rejects{type="x"} 2\n'),
        "istiod reports pilot_total_xds_rejects = 2",
        plain(METRICS, "pilot_total_xds_rejects 0\n"),
    ),
)


@pytest.fixture(scope="module")
def voices(rig: Rig) -> Iterator[Answers]:
    """What the pods of cluster1 answer; those of cluster2 answer nothing."""
    with speaking(rig.hand.lab, "cluster1") as answers:
        yield answers


@pytest.fixture
def fresh(voices: Answers) -> Answers:
    voices.clear()
    return voices


@pytest.mark.parametrize(
    "one", [pytest.param(each, id=each.check, marks=pytest.mark.breaks(each.check)) for each in TOLD]
)
def test_what_a_pod_tells_is_found_and_what_it_tells_no_more_passes(
    rig: Rig, fresh: Answers, one: Told
) -> None:
    one.before(rig)
    try:
        answered(fresh, one.wrong(rig))
        found = eventually(
            lambda: rig.results(one.check)[one.check][0], lambda seen: seen.state is CheckStatus.FAILED
        )
        assert one.says in says([found])
        answered(fresh, one.right(rig))
        eventually(
            lambda: rig.results(one.check)[one.check][0], lambda seen: seen.state is CheckStatus.PASSED
        )
    finally:
        one.after(rig)


def answered(voices: Answers, said: Mapping[str, str]) -> None:
    voices |= {path: lambda text=text: text for path, text in said.items()}


def test_a_pod_that_does_not_answer_is_passed_over_and_never_passes(rig: Rig, fresh: Answers) -> None:
    """On nodes that are real, and beside a cluster whose nodes are fake: each says why."""
    assert not fresh
    for name in ("M02", "Q05", "Q18"):
        results = rig.results(name)[name]
        assert states(results) == {CheckStatus.SKIPPED}
        assert results[0].why.startswith("no data plane: ")
        assert results[1].why == "no data plane"
