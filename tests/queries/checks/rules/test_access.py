"""The access to clusters: facts on one side, findings on the other."""

from __future__ import annotations

from dataclasses import replace

from mesh.model import Action, Key, Step, Unread
from mesh.state.lockfile import ClusterIdentity, fresh
from tests.support.check_facts import PASSED, Row, facts, holds, obj, plan, row, scene, table, told
from tests.support.statuses import broken, drifted, fine, unread

LABEL = Key("label", "cluster1", "istio-system")
WRITES = plan(Step(Action.CREATE, LABEL))
RECORDED = replace(
    fresh("demo"), clusters={"cluster1": ClusterIdentity("cluster1", "cluster1", "cluster1", "a")}, serial=3
)


def lease(name: str, holder: str) -> dict[str, object]:
    return obj(name, "kube-system", spec={"holderIdentity": holder})


def remote_secret(cluster: str) -> dict[str, object]:
    return obj(
        f"remote-{cluster}",
        labels={"istio/multiCluster": "true"},
        annotations={"networking.istio.io/cluster": cluster},
    )


GATEWAY = Key("gateway", "cluster1", "istio-eastwest")

ROWS = (
    row(
        "P01",
        "error: the API server does not answer: connection refused",
        facts(unreachable="connection refused"),
    ),
    row("P01", PASSED, facts()),
    row(
        "P02", "error: cluster1 and cluster2 are the same cluster", facts(uid="a"), facts("cluster2", uid="a")
    ),
    row("P02", "error: cluster1 is not the cluster recorded in the state", facts(uid="new"), state=RECORDED),
    row("P02", "skipped: cluster1: namespace kube-system could not be read", facts(uid="")),
    row("P02", PASSED, facts(), facts("cluster2"), state=RECORDED),
    row("P04", "error: may not patch namespaces", facts(denied=("patch namespaces",)), plan=WRITES),
    row("P04", "not applicable: the plan writes nothing there", facts(denied=()), plan=plan()),
    row("P04", "skipped: forbidden", facts(denied=Unread("forbidden")), plan=WRITES),
    row("P04", PASSED, facts(denied=()), plan=WRITES),
    row("P05", "error: its clock is 121 s ahead of the clock of this machine", facts(skew=121.0)),
    row("P05", "warning: its clock is 31 s behind the clock of this machine", facts(skew=-31.0)),
    row("P05", PASSED, facts(skew=30.0)),
    row(
        "P06",
        "warning: Lease kube-system/mesh-demo is held by run 7: active, or killed",
        facts(leases=[lease("mesh-demo", "7")]),
    ),
    row(
        "P06",
        "warning: the cluster's copy of the state has serial 4, the one here 3",
        facts(leases=[]),
        held={"cluster1": replace(RECORDED, serial=4)},
        state=RECORDED,
    ),
    row(
        "P06",
        PASSED,
        facts(leases=[lease("mesh-other", "7")]),
        held={"cluster1": RECORDED},
        state=RECORDED,
    ),
    row(
        "Q20",
        "warning: namespace/cluster1/a is labelled as managed by this mesh, but is missing from the state",
        facts(stray=("namespace/cluster1/a",), secrets=[]),
    ),
    row(
        "Q20",
        "warning: remote secret istio-system/remote-far is for far, which is not part of this mesh",
        facts(stray=(), secrets=[remote_secret("far")]),
    ),
    row("Q20", PASSED, facts(stray=(), secrets=[remote_secret("cluster2")])),
    row(
        "Q22",
        "warning: label/cluster1/istio-system: differs in 1 field (changed outside mesh): spec.x",
        facts(),
        states={LABEL: drifted(str(LABEL)), GATEWAY: fine(str(GATEWAY))},
    ),
    row(
        "Q22",
        "warning: gateway/cluster1/istio-eastwest: not ready: no pods",
        facts(),
        states={GATEWAY: broken(str(GATEWAY), "no pods")},
    ),
    row(
        "Q22",
        "warning: label/cluster1/istio-system: not known: cluster1 does not answer",
        facts(),
        states={LABEL: unread(str(LABEL), "cluster1 does not answer")},
    ),
    row("Q22", PASSED, facts(), states={LABEL: fine(str(LABEL))}),
    row("Q22", "skipped: the resources were not read", facts()),
)


@table(ROWS)
def test_facts_lead_to_these_findings(row: Row) -> None:
    holds(row)


def test_the_state_of_a_newer_run_is_fetched_by_rebuild() -> None:
    one = scene(facts(leases=[]), held={"cluster1": RECORDED})
    assert told("P06", one) == ["warning: the cluster's copy of the state has serial 3, the one here 0"]
