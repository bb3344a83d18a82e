"""One judge: what a plan calls not ready, missing or drifted, status and check do, in the same words.

A table over all kinds: each case breaks one live object of a healthy mesh, and the same law is asked of all.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from mesh.cli.views.plan_json import plan_json
from mesh.cli.views.status import status_json
from mesh.engine.registry import all_kinds
from mesh.istio.peering import CONNECTED
from mesh.model import Action, Found, Key, Live, Plan, Unread
from mesh.planner.decisions import Decisions
from mesh.queries.checks import run
from mesh.queries.checks.catalog import BY_ID
from mesh.queries.checks.facts import ClusterFacts, MeshFacts
from mesh.queries.current import Current
from mesh.queries.status.read import status_of
from tests.queries.status.healthy import NOW, Healthy, healthy

Change = Callable[[Live], Found]
PODS = ("istiod: ", "cni: ", "ztunnel: ")
"""The table gives no pods: what status says of them beside the resources is left out."""


def missing(_live: Live) -> None:
    """Somebody deleted it."""


def status(**values: Any) -> Change:
    return lambda live: replace(live, status={**live.status, **values})


def attrs(*path: str, value: Any) -> Change:
    """One value is another one."""

    def changed(data: Any, rest: tuple[str, ...]) -> Any:
        if not rest:
            return value
        if isinstance(data, list):
            return [changed(each, rest[1:]) if str(i) == rest[0] else each for i, each in enumerate(data)]
        return {**data, rest[0]: changed(data.get(rest[0]), rest[1:])}

    return lambda live: replace(live, attrs=changed(live.attrs, path))


def without(*path: str) -> Change:
    """One value is not there any more."""

    def cut(data: Any, rest: tuple[str, ...]) -> Any:
        if len(rest) == 1:
            return {name: each for name, each in data.items() if name != rest[0]}
        return {**data, rest[0]: cut(data[rest[0]], rest[1:])}

    return lambda live: replace(live, attrs=cut(live.attrs, path))


def condition(name: str, says: str, message: str = "", reason: str = "", generation: int = 2) -> Change:
    def changed(live: Live) -> Live:
        others = [each for each in live.status["conditions"] if each["type"] != name]
        told = {"type": name, "status": says, "message": message, "reason": reason}
        return replace(
            live,
            status={**live.status, "conditions": [*others, {**told, "observedGeneration": generation}]},
        )

    return changed


def lagging(live: Live) -> Live:
    """A gateway whose Service is still a LoadBalancer: what the kind reads of it."""
    why = "its Service is not of type NodePort yet"
    return replace(live, outputs={}, status={**live.status, "lags": why})


def elsewhere(live: Live) -> Live:
    """A gateway that got another address."""
    there = {**live.outputs["endpoint"], "value": "198.51.100.7"}
    status = {**live.status, "addresses": [{"type": "IPAddress", "value": "198.51.100.7"}]}
    return replace(live, outputs={"endpoint": there}, status=status)


def expired(live: Live) -> Live:
    ended = {**live.outputs, "not_after": NOW.isoformat()}
    return replace(live, outputs=ended, status={**live.status, "problems": ["it expired"]})


def other_root(live: Live) -> Live:
    other = "sha256:" + "cd" * 32
    status = {**live.status, "roots": [other]}
    return replace(
        live, attrs={**live.attrs, "issuer": other}, outputs={**live.outputs, "root": other}, status=status
    )


def unreadable(_live: Live) -> Unread:
    return Unread("secrets is forbidden")


@dataclass(frozen=True)
class Case:
    """Live objects that are otherwise, and what is then not ready: an address, and how its reason begins.

    What `differs` works, and is otherwise than the mesh file says.
    """

    name: str
    how: str
    broken: Mapping[str, Change]
    not_ready: Mapping[str, str] = field(default_factory=dict)
    differs: frozenset[str] = frozenset()
    up: Mapping[str, bool] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.name


GONE = "missing: "
GATEWAY = "gateway/a/istio-eastwest"
LINK = "link/b/a"
PEER = "peer/b/a"
REMOTE = "remote/b/a"
READER = "reader/a/istio-reader"
PORT = attrs("spec", "listeners", value=[{"name": "xds-tls", "port": 31000}])

CASES = (
    Case("healthy", "solo", {}),
    Case("healthy upstream", "upstream", {}),
    Case("healthy automatic", "automatic", {}),
    # crds
    Case("no Gateway API", "solo", {"crds/a/gateway-api": missing}, {"crds/a/gateway-api": GONE}),
    Case("CRDs not served", "solo", {"crds/a/gateway-api": status(served=[])},
         {"crds/a/gateway-api": "the API server does not serve"}),
    Case("an old Gateway API", "solo", {"crds/a/gateway-api": attrs("version", value="v0.8.0")},
         differs=frozenset({"crds/a/gateway-api"})),
    # namespace
    Case("a namespace that goes", "solo", {"namespace/a/istio-eastwest": status(phase="Terminating")},
         {"namespace/a/istio-eastwest": "it is being deleted"}),
    Case("no namespace", "solo", {"namespace/a/istio-eastwest": missing},
         {"namespace/a/istio-eastwest": GONE}),
    # cert
    Case("a root that may not sign", "solo", {"cert/-/root": status(problems=["it expired"])},
         {"cert/-/root": "it expired"}),
    Case("cacerts expired", "solo", {"cert/a/cacerts": expired}, {"cert/a/cacerts": "it expired"}),
    Case("cacerts of another root", "solo", {"cert/a/cacerts": other_root},
         differs=frozenset({"cert/a/cacerts"})),
    Case("no cacerts", "solo", {"cert/a/cacerts": missing}, {"cert/a/cacerts": GONE}),
    Case("cacerts may not be read", "solo", {"cert/a/cacerts": unreadable},
         {"cert/a/cacerts": "could not be read: secrets is forbidden"}),
    # secret
    Case("no licence", "solo", {"secret/a/solo-istio-license": missing},
         {"secret/a/solo-istio-license": GONE}),
    Case("an empty licence", "solo", {"secret/a/solo-istio-license": attrs("data", value={})},
         {"secret/a/solo-istio-license": "Secret istio-system/solo-istio-license has none of the keys"}),
    Case("another licence", "solo", {"secret/a/solo-istio-license": attrs("data", "license-key", value="x")}),
    # chart
    Case("istiod scaled to zero", "solo",
         {"chart/a/istiod": status(troubles=["Deployment istiod: it is scaled to 0 replicas"])},
         {"chart/a/istiod": "Deployment istiod: it is scaled to 0 replicas"}),
    Case("a chart that failed", "solo", {"chart/a/cni": attrs("status", value="failed")},
         {"chart/a/cni": "its release is failed"}, frozenset({"chart/a/cni"})),
    Case("values changed by hand", "solo", {"chart/a/cni": attrs("values", "profile", value="other")},
         differs=frozenset({"chart/a/cni"})),
    Case("no ztunnel", "solo", {"chart/a/ztunnel": missing}, {"chart/a/ztunnel": GONE}),
    Case("no management plane", "automatic", {"chart/a/gloo-platform": missing},
         {"chart/a/gloo-platform": "cluster a has no release of the chart gloo-platform"}),
    # label
    Case("no network label", "solo", {"label/a/istio-system": missing}, {"label/a/istio-system": GONE}),
    Case("a wrong network label", "solo",
         {"label/a/istio-system": attrs("metadata", "labels", "topology.istio.io/network", value="x")},
         {"label/a/istio-system": "topology.istio.io/network is x, not a"},
         frozenset({"label/a/istio-system"})),
    # gateway
    Case("NodePort not switched yet", "solo", {GATEWAY: lagging},
         {GATEWAY: "its Service is not of type NodePort yet", LINK: f"stale: {GATEWAY}"},
         frozenset({LINK, "link/c/a"}), {LINK: False, "link/a/b": True}),
    Case("a gateway not programmed", "solo", {GATEWAY: condition("Programmed", "False", "no pods")},
         {GATEWAY: "no pods"}),
    Case("a gateway of an older generation", "solo",
         {GATEWAY: condition("Programmed", "True", generation=1)},
         {GATEWAY: "istiod has not programmed it yet"}),
    Case("a gateway not accepted", "solo", {GATEWAY: condition("Accepted", "False", "no")},
         {GATEWAY: "not accepted: no"}),
    Case("a deleted gateway beside its links", "solo", {GATEWAY: missing},
         {GATEWAY: GONE, LINK: f"stale: {GATEWAY}", "link/c/a": f"stale: {GATEWAY}"},
         frozenset({LINK, "link/c/a"}), {LINK: False, "link/c/a": False, "link/a/b": True}),
    Case("a deleted gateway beside its peers", "automatic", {GATEWAY: missing},
         {GATEWAY: GONE, PEER: f"stale: {GATEWAY}"}, up={PEER: False, "peer/a/b": True}),
    Case("a gateway with another address", "solo", {GATEWAY: elsewhere},
         {LINK: "stale: it leads to 192.0.2.1, the gateway is at 198.51.100.7"},
         frozenset({LINK, "link/c/a"}), {LINK: False}),
    Case("two gateways for a network", "solo", {GATEWAY: status(twins=["x/y"])},
         {GATEWAY: "network a has several east-west gateways"}, frozenset({GATEWAY})),
    # link
    Case("no peer", "solo", {LINK: missing}, {LINK: GONE}, up={LINK: False}),
    Case("a link on a wrong port", "solo", {LINK: PORT},
         {LINK: "stale: it leads to port 31000, istiod is at port 15012"}, frozenset({LINK}), {LINK: False}),
    Case("a link to a wrong address", "solo",
         {LINK: attrs("spec", "addresses", "0", "value", value="203.0.113.9")},
         {LINK: "stale: it leads to 203.0.113.9"}, frozenset({LINK}), {LINK: False}),
    Case("a link with a wrong network label", "solo",
         {LINK: attrs("metadata", "labels", "topology.istio.io/network", value="x")},
         differs=frozenset({LINK})),
    Case("a link that is not connected", "solo", {LINK: condition(CONNECTED, "False", "timed out")},
         {LINK: "PeerConnected: timed out"}, up={LINK: False}),
    Case("a link that will not connect", "solo", {LINK: condition(CONNECTED, "False", "bad", "Invalid")},
         {LINK: "PeerConnected: bad"}, up={LINK: False}),
    Case("a link of an older generation", "solo", {LINK: condition(CONNECTED, "True", generation=1)},
         {LINK: "PeerConnected is not reported yet"}, up={LINK: False}),
    # peer
    Case("a peer not distributed", "automatic", {PEER: missing},
         {PEER: "Gloo has not distributed it yet"}, up={PEER: False}),
    Case("a peer on a wrong port", "automatic", {PEER: PORT},
         {PEER: "stale: it leads to port 31000, istiod is at port 15012; Gloo"}, up={PEER: False}),
    Case("a peer that is not connected", "automatic", {PEER: condition(CONNECTED, "False", "no")},
         {PEER: "PeerConnected: no"}, up={PEER: False}),
    Case("a peer by hand", "automatic", {PEER: status(**{"by hand": ["x/y (kubectl)"]})},
         {PEER: "x/y (kubectl) was made by hand"}, frozenset({PEER}), {PEER: False}),
    # registration
    Case("a registration not accepted", "automatic", {"registration/a/b": status(approval="DENIED")},
         {"registration/a/b": "the management plane has not accepted cluster b"},
         frozenset({"registration/a/b"})),
    Case("no registration", "automatic", {"registration/a/b": missing},
         {"registration/a/b": "cluster b is not registered with the management plane"}),
    # reader
    Case("a token that is not added yet", "upstream", {READER: lambda live: replace(live, outputs={})},
         {READER: "Kubernetes has not added its token"}, frozenset({REMOTE, "remote/c/a"})),
    Case("no reader", "upstream", {READER: missing}, {READER: GONE}, frozenset({REMOTE, "remote/c/a"})),
    # remote
    Case("a wrong server in a remote secret", "upstream", {REMOTE: attrs("server", value="https://x:1")},
         {REMOTE: "stale: it leads to https://x:1, the API server of a is at https://a.invalid:6443"},
         frozenset({REMOTE}), {REMOTE: False, "remote/a/b": True}),
    Case("a remote secret without token", "upstream", {REMOTE: attrs("token", value="")},
         {REMOTE: "it holds no token"}, frozenset({REMOTE}), {REMOTE: False}),
    Case("a remote secret without its label", "upstream",
         {REMOTE: attrs("metadata", "labels", value={})},
         {REMOTE: "istiod does not see it without label istio/multiCluster"}, frozenset({REMOTE}),
         {REMOTE: False}),
    Case("a token that was revoked", "upstream", {REMOTE: status(refused="its token is no longer accepted")},
         {REMOTE: "its token is no longer accepted"}, frozenset({REMOTE}), {REMOTE: False}),
    Case("no remote secret", "upstream", {REMOTE: missing}, {REMOTE: GONE}, up={REMOTE: False}),
    Case("no common root of trust", "upstream", {REMOTE: status(roots="sha256:other")},
         {REMOTE: "clusters b and a have no root of trust in common"}, up={REMOTE: False}),
)  # fmt: skip


@pytest.fixture(scope="module")
def meshes(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Healthy]:
    return {how: healthy(how, tmp_path_factory.mktemp(how)) for how in ("solo", "upstream", "automatic")}


@dataclass(frozen=True)
class Told:
    """What a plan, status and check say of the same clusters."""

    decisions: Decisions
    plan: Mapping[str, Any]
    status: Mapping[str, Any]
    check: Mapping[str, list[str]]
    facts: MeshFacts

    @property
    def resources(self) -> dict[str, Any]:
        found = [*self.status["resources"]]
        for cluster in self.status["clusters"]:
            found += cluster["resources"]
        return {each["address"]: each for each in found}

    @property
    def not_ready(self) -> set[str]:
        lines = {*self.status["not_ready"]}
        for cluster in self.status["clusters"]:
            lines |= {line for line in cluster["not_ready"] if not line.startswith(PODS)}
        return lines

    @property
    def out_of_sync(self) -> set[str]:
        lines = {*self.status["out_of_sync"]}
        return lines.union(*(cluster["out_of_sync"] for cluster in self.status["clusters"]))

    @property
    def up(self) -> dict[str, bool]:
        """Which links status counts as up."""
        return {
            each["resource"]: each["is_ready"]
            for cluster in self.status["clusters"]
            for each in cluster["peers"]
        }


def told(one: Healthy, case: Case) -> Told:
    changed = {Key.parse(name): change(one.live(name)) for name, change in case.broken.items()}
    decisions, seen = one.seen(changed)
    status = status_of(one.session, seen)
    facts = MeshFacts(
        one.session.mesh,
        {each.name: _facts(each, seen) for each in one.session.mesh.clusters},
        one.state,
        NOW,
        Unread("no plan"),
        states=seen.states,
        status=status,
    )
    deferred = tuple(decisions.deferred.values())
    plan = Plan("demo", tuple(decisions.steps.values()), 1, "lineage", {}, deferred)
    report = run.run(facts, [BY_ID[name] for name in ("Q09", "Q11", "Q22", "S12", "S18")])
    check: dict[str, list[str]] = {}
    for result in report.results:
        check.setdefault(result.check.id, []).extend(finding.says for finding in result.findings)
    return Told(decisions, plan_json(plan), json.loads(json.dumps(status_json(status))), check, facts)


def _facts(cluster: Any, seen: Current) -> ClusterFacts:
    """No more of a cluster than what these checks look at."""
    istiod = {"metadata": {"name": "istiod", "namespace": "istio-system", "labels": {"app": "istiod"}}}
    mine = seen.of(cluster.name)
    remotes = {each.key.name: each.trouble for each in mine if each.key.kind == "remote"}
    return ClusterFacts(cluster, seen={"deployments": (istiod,), "secrets": ()}, remotes=remotes)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_the_plan_says_status_and_check_say_in_the_same_words(
    case: Case, meshes: Mapping[str, Healthy]
) -> None:
    said = told(meshes[case.how], case)
    found, q22 = said.resources, said.check["Q22"]
    for each in said.plan["not_ready"]:
        row = found[each["address"]]
        assert (row["is_ready"], row["why"]) == (False, each["why"])
        assert f"{each['address']}: {each['why']}" in said.not_ready
        assert any(line.startswith(f"{each['address']}: ") and each["why"] in line for line in q22)
    for each in said.plan["resource_changes"]:
        row = found[each["address"]]
        assert (row["action_reason"], row["fields"]) == (each["action_reason"], each["change"]["paths"])
        assert row["in_sync"] is False
        is_new = each["change"]["actions"] == ["create"]
        line = f"{each['address']}: {row['why'] if is_new else row['text']}"
        assert line in (said.not_ready if is_new else said.out_of_sync)
        assert each["why"] in row["text"]
        assert f"{each['address']}: {row['text']}" in q22
    for each in said.plan["deferred_changes"]:
        assert found[each["address"]]["text"] == f"not known: {each['why']}"
        assert f"{each['address']}: not known: {each['why']}" in q22
    for key, why in said.decisions.refusals.items():
        assert found[str(key)]["text"] == f"refused: {why}"
        assert f"{key}: refused: {why}" in q22


@pytest.mark.parametrize("case", CASES, ids=str)
def test_status_says_what_does_not_work_and_what_differs(case: Case, meshes: Mapping[str, Healthy]) -> None:
    said = told(meshes[case.how], case)
    for address, why in case.not_ready.items():
        assert not said.resources[address]["is_ready"], address
        assert said.resources[address]["why"].startswith(why), said.resources[address]["why"]
    differing = {line.partition(": ")[0] for line in said.out_of_sync}
    assert case.differs <= differing, differing
    for address, is_up in case.up.items():
        assert said.up[address] is is_up, address
    if not case.not_ready:
        assert said.not_ready == set()
    if not (case.not_ready or case.differs):
        assert (said.out_of_sync, said.check["Q22"]) == (set(), [])


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_check_of_a_gateway_or_link_prints_the_line_of_status(
    case: Case, meshes: Mapping[str, Healthy]
) -> None:
    said = told(meshes[case.how], case)
    lines = "\n".join(line for name in ("Q09", "Q11", "S12", "S18") for line in said.check[name])
    for address, row in said.resources.items():
        if row["kind"] in {"gateway", "link", "peer", "remote"} and row["why"]:
            assert row["why"] in lines, (address, lines)


def test_every_kind_has_a_case_that_does_not_work(meshes: Mapping[str, Healthy]) -> None:
    broken = {Key.parse(address).kind for case in CASES for address in case.not_ready}
    assert broken == all_kinds().keys()
    assert {key.kind for one in meshes.values() for key in one.resources} == all_kinds().keys()


def test_every_action_of_a_plan_is_in_the_table(meshes: Mapping[str, Healthy]) -> None:
    steps: Iterator[Action] = (
        step.action for case in CASES for step in told(meshes[case.how], case).decisions.steps.values()
    )
    assert {*steps} >= {Action.CREATE, Action.UPDATE, Action.READ}
