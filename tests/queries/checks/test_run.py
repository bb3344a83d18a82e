"""How checks are asked, counted and told: plain facts, no cluster; and those that no lab can decide."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from mesh.cli.views.checks import report_json, report_text
from mesh.cli.views.junit import report_junit
from mesh.cli.views.sarif import report_sarif
from mesh.config.decode import load_mesh
from mesh.errors import MeshError, RefusedError, UsageError
from mesh.model import Action, Key, Plan, Step, Unread
from mesh.queries.checks import run
from mesh.queries.checks.catalog import BY_ID, CHECKS
from mesh.queries.checks.facts import ClusterFacts, MeshFacts
from mesh.queries.checks.model import (
    Check,
    CheckStatus,
    Finding,
    NotApplicable,
    NotFound,
    Phase,
    Severity,
    Skip,
)
from mesh.state.lockfile import fresh
from mesh.world import istioctl
from mesh.world.helm.releases import Release, ReleaseView

ROOT = Path(__file__).parents[3]
NOW = datetime(2026, 1, 1, tzinfo=UTC)
MESH = load_mesh(ROOT / "examples" / "two-clusters" / "mesh.yaml")
UPSTREAM = replace(MESH, distribution="upstream", links=MESH.links)

Rows = list[dict[str, Any]]


def facts(name: str = "cluster1", seen: dict[str, Rows] | None = None, **more: Any) -> ClusterFacts:
    return ClusterFacts(
        MESH.cluster(name), seen={key: tuple(rows) for key, rows in (seen or {}).items()}, uid=name, **more
    )


def scene(*clusters: ClusterFacts, **more: Any) -> MeshFacts:
    here = {each.name: each for each in clusters or (facts(), facts("cluster2"))}
    return MeshFacts(
        more.pop("mesh", MESH), here, fresh("demo"), NOW, more.pop("plan", Unread("no plan")), **more
    )


def named(name: str, namespace: str = "istio-system", **more: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": namespace, **more.pop("meta", {})}, **more}


def istiod(**env: str) -> dict[str, Any]:
    variables = [{"name": name, "value": value} for name, value in env.items()]
    pod = {"containers": [{"image": "registry.invalid/pilot:1.30.2-solo", "env": variables}]}
    spec = {"replicas": 1, "template": {"spec": pod}}
    return named("istiod", meta={"labels": {"app": "istiod"}}, spec=spec)


def a_check(look: Any = None, **more: Any) -> Check:
    kept = {
        "id": "P01",
        "phases": frozenset({Phase.PRE}),
        "severity": Severity.ERROR,
        "title": "t",
        "fix": "f",
    }
    return Check(**{**kept, "look": look, **more})


def asked(check: Check, one: MeshFacts) -> list[CheckStatus]:
    return [each.state for each in run.run(one, (check,)).results]


# --- what an answer means ----------------------------------------------------------------------------------


def test_what_could_not_be_read_is_skipped_and_never_passed() -> None:
    def look(_scene: MeshFacts, found: ClusterFacts) -> Iterator[Finding]:
        yield from (Finding("bad") for _ in found.rows("nodes"))

    assert asked(a_check(look), scene()) == [CheckStatus.SKIPPED, CheckStatus.SKIPPED]
    assert asked(a_check(look), scene(facts(seen={"nodes": []}))) == [CheckStatus.PASSED]


def test_what_was_found_before_the_rest_could_not_be_read_stays_found() -> None:
    def look(_scene: MeshFacts, _facts: ClusterFacts) -> Iterator[Finding]:
        yield Finding("bad")
        raise Skip("no more")

    assert asked(a_check(look), scene(facts())) == [CheckStatus.FAILED]


def test_a_comparison_that_missed_a_cluster_does_not_pass() -> None:
    def compare(one: MeshFacts) -> Iterator[Finding]:
        one.gather(lambda found: found.rows("nodes"))
        yield from ()

    check = a_check(compare=compare)
    assert asked(check, scene(facts(seen={"nodes": []}), facts("cluster2", seen={"nodes": []}))) == [
        CheckStatus.PASSED
    ]
    assert asked(check, scene(facts(seen={"nodes": []}), facts("cluster2"))) == [CheckStatus.SKIPPED]
    down = facts("cluster2", unreachable="it is off")
    [result] = run.run(scene(facts(seen={"nodes": []}), down), (check,)).results
    assert (result.state, result.why) == (CheckStatus.SKIPPED, "cluster2 does not answer")


def test_what_is_known_to_be_absent_is_no_gap_in_a_comparison() -> None:
    def compare(one: MeshFacts) -> Iterator[Finding]:
        def nothing(_facts: ClusterFacts) -> None:
            raise NotFound("there is none")

        one.gather(nothing)
        yield from ()

    assert asked(a_check(compare=compare), scene()) == [CheckStatus.PASSED]


def test_a_fault_of_ours_is_told_as_such_and_hides_nothing() -> None:
    def look(_scene: MeshFacts, _facts: ClusterFacts) -> Iterator[Finding]:
        yield Finding("bad")
        raise ZeroDivisionError

    [result] = run.run(scene(facts()), (a_check(look),)).results
    assert (result.state, result.why) == (
        CheckStatus.FAILED,
        "internal error (please report): ZeroDivisionError",
    )


def test_an_unreachable_cluster_fails_the_first_check_and_skips_the_others() -> None:
    down = facts(unreachable="connection refused")
    results = {each.check.id: each.state for each in run.run(scene(down), CHECKS).results}
    assert results.pop("P01") is CheckStatus.FAILED
    told = {check.id for check in CHECKS if check.only != "upstream" and check.compare is None} - {"P01"}
    assert {results[name] for name in told} == {CheckStatus.SKIPPED}
    assert CheckStatus.PASSED not in set(results.values()) - {results["S01"]}


def test_a_cluster_whose_workloads_cannot_be_read_is_not_taken_for_empty() -> None:
    [result] = run.run(scene(facts()), (BY_ID["Q01"],)).results
    assert (result.state, result.why) == (CheckStatus.SKIPPED, "deployments were not read")


def test_nothing_of_an_empty_cluster_passes_that_is_about_what_runs_there() -> None:
    empty = {name: [] for name in ("deployments", "daemonsets", "gateways", "nodes", "namespaces", "configs")}
    report = run.run(scene(facts(seen=empty, releases={})), CHECKS)
    passed = {each.check.id for each in report.results if each.state is CheckStatus.PASSED}
    assert passed == {"P01", "P02", "S01"}


# --- apply -------------------------------------------------------------------------------------------------


def plan(*steps: Step) -> Plan:
    return Plan(mesh="demo", steps=steps, serial=1, lineage="l", clusters={})


def label_of(text: str) -> Rows:
    return [named("istio-system", "", meta={"labels": {"topology.istio.io/network": text}})]


def test_apply_is_refused_with_every_error_and_how_to_go_on() -> None:
    step = Step(Action.CREATE, Key("chart", "cluster1", "base"))
    wrong = facts(seen={"namespaces": label_of("other"), "gateways": [], "services": []})
    report = run.before_apply(scene(wrong, plan=plan(step)), ())
    with pytest.raises(RefusedError) as refused:
        run.refuse(report)
    assert (
        "P23 cluster1: namespace istio-system has topology.istio.io/network=other, expected cluster1"
        in str(refused.value)
    )
    assert "--skip-check P23" in refused.value.hint
    run.refuse(run.before_apply(scene(wrong, plan=plan(step)), ("P23",)))


def test_what_the_plan_mends_does_not_stop_it_nor_a_cluster_that_it_leaves_alone() -> None:
    wrong = {"namespaces": label_of("other"), "gateways": [], "services": []}
    mending = Step(Action.UPDATE, Key("label", "cluster1", "istio-system"))
    run.refuse(run.before_apply(scene(facts(seen=wrong), plan=plan(mending)), ()))
    elsewhere = Step(Action.CREATE, Key("chart", "cluster2", "base"))
    one = scene(facts(seen=wrong), facts("cluster2"), plan=plan(elsewhere))
    run.refuse(run.before_apply(one, ()))


def test_a_gateway_that_the_plan_mends_is_not_counted_again_by_its_service() -> None:
    network = {"topology.istio.io/network": "other"}
    owner = {"labels": network, "ownerReferences": [{"kind": "Gateway", "name": "istio-eastwest"}]}
    gateway = named("istio-eastwest", meta={"labels": network}, spec={"gatewayClassName": "istio-eastwest"})
    seen = {"namespaces": label_of("cluster1"), "gateways": [gateway], "services": [named("s", meta=owner)]}
    step = Step(Action.UPDATE, Key("gateway", "cluster1", "istio-eastwest"))
    run.refuse(run.before_apply(scene(facts(seen=seen), plan=plan(step)), ()))


def test_an_unknown_check_is_refused_with_the_nearest() -> None:
    with pytest.raises(UsageError) as refused:
        run.chosen(None, ("p7",), ())
    assert "unknown check 'p7'" in str(refused.value)
    assert {each.id for each in run.chosen(Phase.MID, (), ("Q01",))} >= {"Q02", "S12"}
    assert [each.id for each in run.chosen(None, ("Q01",), ())] == ["Q01"]


# --- how it is told ----------------------------------------------------------------------------------------


@pytest.fixture
def told() -> tuple[MeshFacts, Any]:
    wrong = facts(seen={"namespaces": label_of("a\x1b[31m<b>"), "gateways": [], "services": []})
    one = scene(wrong, facts("cluster2", unreachable="off"))
    return one, run.run(one, (BY_ID["P01"], BY_ID["P23"], BY_ID["P24"]))


def test_text_says_what_is_wrong_how_to_mend_it_and_counts_apart(told: tuple[MeshFacts, Any]) -> None:
    text = report_text(*told, colour=False)
    assert "\x1b" not in text
    assert "P23  error     network labels match" in text
    assert "error: cluster1: namespace istio-system has topology.istio.io/network=a" in text
    assert "see:  docs/checks/P23.md" in text
    assert text.endswith("Checks of mesh demo: 1 passed, 2 errors, 1 skipped, 2 not applicable.\n")


def test_json_holds_the_evidence_and_the_states(told: tuple[MeshFacts, Any]) -> None:
    data = json.loads(json.dumps(report_json(*told)))
    assert data["summary"] == {
        "passed": 1,
        "failed": {"error": 2, "warning": 0, "info": 0},
        "skipped": 1,
        "not_applicable": 2,
    }
    found = next(each for each in data["results"] if each["id"] == "P23" and each["state"] == "failed")
    assert found["doc"] == "docs/checks/P23.md"
    assert found["findings"][0]["evidence"]["expected"] == "cluster1"
    assert found["findings"][0]["address"] == "label/cluster1/istio-system"


def test_junit_is_xml_in_which_skipped_is_not_passed(told: tuple[MeshFacts, Any]) -> None:
    suites = ET.fromstring(report_junit(*told))
    assert suites.attrib == {
        "name": "demo",
        "tests": "6",
        "failures": "2",
        "errors": "0",
        "skipped": "3",
    }
    assert {suite.attrib["name"] for suite in suites} == {"cluster1", "cluster2"}
    assert len(suites.findall(".//testcase[failure]")) == 2
    assert len(suites.findall(".//testcase[skipped]")) == 3


def test_sarif_points_at_the_cluster_in_the_mesh_file(told: tuple[MeshFacts, Any]) -> None:
    log = report_sarif(*told)
    results = log["runs"][0]["results"]
    assert log["version"] == "2.1.0"
    assert {each["ruleId"] for each in results} == {"P01", "P23"}
    where = results[-1]["locations"][0]["physicalLocation"]
    assert where["artifactLocation"] == {"uri": "mesh.yaml"}
    assert where["region"]["startLine"] > 1


def test_ids_are_unique_and_no_check_is_asked_of_nothing() -> None:
    assert len(BY_ID) == len(CHECKS)
    assert all((check.look is None) != (check.compare is None) for check in CHECKS)


# --- what no lab can decide --------------------------------------------------------------------------------


def one(name: str, found: ClusterFacts, mesh: Any = MESH, **more: Any) -> Any:
    return run.run(scene(found, mesh=mesh, **more), (BY_ID[name],)).results[0]


def said(name: str, found: ClusterFacts, mesh: Any = MESH, **more: Any) -> str:
    return "\n".join(each.says for each in one(name, found, mesh, **more).findings)


HERE = {"deployments": [istiod()], "daemonsets": [], "configs": []}


def answering(**ports: Any) -> ClusterFacts:
    return facts(seen=HERE, ports=ports)


def test_an_istiod_that_finds_its_licence_invalid_is_told() -> None:
    assert (
        said("M02", answering(licence='{"state": "EXPIRED"}')) == "istiod reports that its licence is expired"
    )
    assert one("M02", answering(licence='{"state": "valid"}')).state is CheckStatus.PASSED
    assert one("M02", answering(licence=Unread("no data plane"))).state is CheckStatus.SKIPPED


def test_errors_that_istiod_counts_are_told() -> None:
    text = 'citadel_server_csr_sign_err_count{code="1"} 3\npilot_total_xds_rejects 0\n'
    assert "istiod reports citadel_server_csr_sign_err_count = 3" in said("Q07", answering(metrics=text))
    assert one("Q18", answering(metrics=text)).state is CheckStatus.PASSED
    assert one("Q06", replace(answering(metrics=text), authority=None)).state is CheckStatus.SKIPPED


def test_a_ca_that_istiod_says_is_about_to_end_is_told() -> None:
    text = "citadel_server_root_cert_expiry_seconds 900000\ncitadel_server_cert_chain_expiry_seconds 3600\n"
    found = replace(answering(metrics=text), authority=None)
    assert "citadel_server_cert_chain_expiry_seconds = 3600" in said("Q06", found)


def dump(state: str, ends: datetime, network: str = "cluster2") -> str:
    cert = {"identity": "spiffe://a", "state": state, "certChain": [{"expirationTime": ends.isoformat()}]}
    return json.dumps({"certificates": [cert], "workloads": [{"network": network}]})


def test_certificates_that_ztunnel_does_not_have_or_that_ended_are_told() -> None:
    good, ended = NOW + timedelta(hours=1), NOW - timedelta(hours=1)
    assert one("Q05", answering(ztunnels={"zt-1": dump("Available", good)})).state is CheckStatus.PASSED
    assert "is Initializing" in said("Q05", answering(ztunnels={"zt-1": dump("Initializing", good)}))
    assert "has expired" in said("Q05", answering(ztunnels={"zt-1": dump("Available", ended)}))
    silent = answering(ztunnels={"zt-1": Unread("no data plane: refused")})
    assert one("Q05", silent).state is CheckStatus.SKIPPED


def test_a_ztunnel_that_does_not_know_a_peer_that_shares_a_service_is_told() -> None:
    shop = named("shop", "shop", meta={"labels": {"solo.io/service-scope": "global"}}, spec={})
    other = facts("cluster2", seen={"services": [shop], "namespaces": []})
    knowing = answering(ztunnels={"zt-1": dump("Available", NOW)})
    assert run.run(scene(knowing, other), (BY_ID["Q12"],)).results[0].state is CheckStatus.PASSED
    blind = answering(ztunnels={"zt-1": dump("Available", NOW, "cluster1")})
    assert "knows no workload of network cluster2" in str(run.run(scene(blind, other), (BY_ID["Q12"],)))


def test_a_mesh_of_very_many_workloads_is_told() -> None:
    spaces = [named("shop", "", meta={"labels": {"istio.io/dataplane-mode": "ambient"}})]
    pods = [named(str(number), "shop") for number in range(10_001)]
    found = facts(seen={"namespaces": spaces, "pods": pods, "host pods": []})
    assert "10001 workloads are in the mesh" in said("P32", found)


def test_what_istioctl_analyze_says_is_merged() -> None:
    said_by_it = {"cluster1": ({"code": "IST0101", "level": "Error", "message": "not found"},)}
    result = one("Q21", facts(seen=HERE), analysis=said_by_it)
    assert (result.severity, result.findings[0].says) == (Severity.ERROR, "IST0101: not found")


@pytest.mark.parametrize(
    ("told", "state", "says"),
    [
        ("", CheckStatus.NOT_APPLICABLE, ""),
        ("1.30.0-solo", CheckStatus.PASSED, ""),
        ("1.30.2", CheckStatus.FAILED, "istioctl 1.30.2 is the upstream build, the mesh is Solo"),
        ("1.29.2-solo", CheckStatus.FAILED, "another minor version can report a healthy mesh as broken"),
        (Unread("istioctl version does not answer: ValueError"), CheckStatus.SKIPPED, ""),
    ],
)
def test_an_istioctl_that_is_not_the_meshs_own_is_told(
    told: str | Unread, state: CheckStatus, says: str
) -> None:
    result = run.run(scene(istioctl=told), (BY_ID["P34"],)).results[0]
    assert result.state is state
    assert says in "".join(each.says for each in result.findings)


def test_the_version_is_what_the_istioctl_on_path_says(tmp_path: Path) -> None:
    program = tmp_path / "istioctl"
    env = {"PATH": str(tmp_path)}
    assert istioctl.version(env) == ""
    program.write_text('#!/bin/sh\necho \'{"clientVersion": {"version": "1.30.2-solo"}}\'\n')
    program.chmod(0o755)
    assert istioctl.version(env) == "1.30.2-solo"
    program.write_text("#!/bin/sh\necho no >&2\nexit 1\n")
    with pytest.raises(MeshError, match="does not say which it is"):
        istioctl.version(env)


# --- upstream only -----------------------------------------------------------------------------------------


def remote(server: str = "https://10.0.0.1:6443", **more: Any) -> ClusterFacts:
    config = {"server": server, "has ca": True, "has token": True, "expires": False, **more}
    secret = named("istio-remote-secret-cluster2", remote={"cluster2": config})
    return facts(seen={**HERE, "secrets": [secret]}, remotes={"cluster2": ""})


def test_a_remote_secret_for_the_reader_itself_is_told() -> None:
    found = said("P26", remote("https://127.0.0.1:6443"), UPSTREAM)
    assert "loopback address https://127.0.0.1:6443" in found
    assert one("P26", remote(), UPSTREAM).state is CheckStatus.PASSED
    assert one("P26", remote("https://127.0.0.1:6443")).state is CheckStatus.NOT_APPLICABLE


def test_a_remote_secret_that_is_not_whole_or_not_accepted_is_told() -> None:
    assert "it has no token" in said("Q09", remote(**{"has token": False}), UPSTREAM)
    refused = replace(remote(), remotes={"cluster2": "its token is no longer accepted by cluster cluster2"})
    assert (
        said("Q09", refused, UPSTREAM)
        == "the link to cluster2: its token is no longer accepted by cluster cluster2"
    )
    assert one("Q09", replace(remote(), remotes=Unread("forbidden")), UPSTREAM).state is CheckStatus.SKIPPED
    assert one("Q09", remote(), UPSTREAM).state is CheckStatus.PASSED


def test_a_token_without_an_end_is_told() -> None:
    assert one("Q23", remote(), UPSTREAM).severity is Severity.INFO
    assert one("Q23", remote(expires=True), UPSTREAM).state is CheckStatus.PASSED


def test_a_remote_cluster_that_istiod_has_not_synced_with_is_told() -> None:
    waiting = json.dumps([{"id": "cluster2", "syncStatus": "syncing"}])
    assert (
        said("Q10", answering(clusters=waiting), UPSTREAM) == "istiod has not synced with cluster2: syncing"
    )
    synced = json.dumps([{"id": "cluster2", "syncStatus": "synced"}])
    assert one("Q10", answering(clusters=synced), UPSTREAM).state is CheckStatus.PASSED


def test_one_trust_domain_and_the_switch_are_wanted_upstream() -> None:
    def told_domain(name: str, domain: str) -> ClusterFacts:
        config = named("istio", data={"mesh": f"trustDomain: {domain}\n"})
        return facts(name, seen={**HERE, "configs": [config]})

    both = scene(told_domain("cluster1", "a"), told_domain("cluster2", "b"), mesh=UPSTREAM)
    assert run.run(both, (BY_ID["P21"],)).results[0].state is CheckStatus.FAILED
    assert "istiod lacks AMBIENT_ENABLE_MULTI_NETWORK=true" in said("P24", facts(seen=HERE), UPSTREAM)
    env = {"AMBIENT_ENABLE_MULTI_NETWORK": "true", "PILOT_ENABLE_AMBIENT": "true"}
    assert (
        one("P24", facts(seen={**HERE, "deployments": [istiod(**env)]}), UPSTREAM).state is CheckStatus.PASSED
    )


def test_the_gateway_of_an_upstream_mesh_is_of_the_upstream_class() -> None:
    gateway = named("gw", spec={"gatewayClassName": "istio-east-west"}, status={})
    assert "the cluster has no east-west gateway" not in said(
        "Q11", facts(seen={**HERE, "gateways": [gateway]}), UPSTREAM
    )
    assert "the cluster has no east-west gateway" in said("Q11", facts(seen={**HERE, "gateways": [gateway]}))


def test_what_is_no_base64_or_no_kubeconfig_is_no_remote_cluster() -> None:
    from mesh.queries.checks.rules.upstream import public

    assert public({"data": {"a": "%%%", "b": base64.b64encode(b"[]").decode()}}) == {"a": {}, "b": {}}


def test_not_applicable_is_an_answer_of_its_own() -> None:
    def look(_scene: MeshFacts, _facts: ClusterFacts) -> Iterator[Finding]:
        raise NotApplicable("nothing")
        yield

    assert asked(a_check(look), scene(facts())) == [CheckStatus.NOT_APPLICABLE]


# --- versions ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("there", "says"),
    [
        (
            "1.28.0-solo",
            "istiod is at 1.28.0, 1.30.2 is 2 minor versions ahead: upgrade one minor version at a time",
        ),
        ("1.31.0-solo", "istiod is at 1.31.0, 1.30.2 is older: Istio does not support downgrades"),
        ("1.29.2-solo", ""),
    ],
)
def test_a_way_that_an_upgrade_cannot_go_is_told(there: str, says: str) -> None:
    chart = MESH.cluster("cluster1").charts["istiod"]
    about = (chart.release, chart.namespace, 1, "deployed", "istiod", there, "")
    release = Release(*about, {}, "", 0, "", "", "", "", "", "")
    view = ReleaseView(release, release, {})
    found = facts(seen=HERE, releases={(chart.namespace, chart.release): view})
    assert said("P15", found) == says


@pytest.mark.parametrize(
    ("fix", "word"),
    [
        ("mesh apply", "fix"),
        ("mesh recover chart/a/istiod", "fix"),
        ("kubectl --context a -n b rollout restart deploy/istiod", "fix"),
        ("kubectl --context a -n b get secret cacerts", "look"),
        ("kubectl --context {context} -n {namespace} describe deploy/istiod", "look"),
        ("kubectl --context a label ns get x=y", "fix"),
        ("mesh status", "look"),
        ("set one trustDomain for all clusters", "fix"),
    ],
)
def test_a_command_that_only_shows_does_not_call_itself_the_mend(fix: str, word: str) -> None:
    assert run.word_for(fix) == word
