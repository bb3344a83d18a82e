"""Running checks: outcomes, findings that the plan fixes, the selection of checks, and hints."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from mesh.errors import RefusedError, UsageError
from mesh.istio.names import NETWORK
from mesh.model import Action, Key, Step
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
from tests.support.check_facts import facts, gateway, obj, plan, scene, space


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


# --- outcomes -----------------------------------------------------------------------------------------------


def test_a_check_whose_facts_could_not_be_read_is_skipped_and_never_passes() -> None:
    def look(_scene: MeshFacts, found: ClusterFacts) -> Iterator[Finding]:
        yield from (Finding("bad") for _ in found.rows("nodes"))

    assert asked(a_check(look), scene()) == [CheckStatus.SKIPPED, CheckStatus.SKIPPED]
    assert asked(a_check(look), scene(facts(nodes=[]))) == [CheckStatus.PASSED]


def test_findings_stay_when_the_rest_could_not_be_read() -> None:
    def look(_scene: MeshFacts, _facts: ClusterFacts) -> Iterator[Finding]:
        yield Finding("bad")
        raise Skip("no more")

    assert asked(a_check(look), scene(facts())) == [CheckStatus.FAILED]


def test_a_comparison_that_missed_a_cluster_does_not_pass() -> None:
    def compare(one: MeshFacts) -> Iterator[Finding]:
        one.gather(lambda found: found.rows("nodes"))
        yield from ()

    check = a_check(compare=compare)
    assert asked(check, scene(facts(nodes=[]), facts("cluster2", nodes=[]))) == [CheckStatus.PASSED]
    assert asked(check, scene(facts(nodes=[]), facts("cluster2"))) == [CheckStatus.SKIPPED]
    down = facts("cluster2", unreachable="it is off")
    [result] = run.run(scene(facts(nodes=[]), down), (check,)).results
    assert (result.state, result.why) == (CheckStatus.SKIPPED, "cluster2 does not answer")


def test_an_object_known_to_be_missing_is_no_gap_in_a_comparison() -> None:
    def compare(one: MeshFacts) -> Iterator[Finding]:
        def nothing(_facts: ClusterFacts) -> None:
            raise NotFound("it is missing")

        one.gather(nothing)
        yield from ()

    assert asked(a_check(compare=compare), scene()) == [CheckStatus.PASSED]


def test_a_bug_in_a_check_is_reported_and_hides_no_finding() -> None:
    def look(_scene: MeshFacts, _facts: ClusterFacts) -> Iterator[Finding]:
        yield Finding("bad")
        raise ZeroDivisionError

    [result] = run.run(scene(facts()), (a_check(look),)).results
    assert (result.state, result.why) == (
        CheckStatus.FAILED,
        "cluster cluster1: what the check looks at cannot be understood (ZeroDivisionError); "
        "`-v` shows where it failed",
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


def test_no_check_of_running_workloads_passes_in_an_empty_cluster() -> None:
    empty = {name: [] for name in ("deployments", "daemonsets", "gateways", "nodes", "namespaces", "configs")}
    report = run.run(scene(facts(**empty, releases={})), CHECKS)
    passed = {each.check.id for each in report.results if each.state is CheckStatus.PASSED}
    assert passed == {"P01", "P02", "S01"}


def test_not_applicable_is_an_answer_of_its_own() -> None:
    def look(_scene: MeshFacts, _facts: ClusterFacts) -> Iterator[Finding]:
        raise NotApplicable("nothing")
        yield

    assert asked(a_check(look), scene(facts())) == [CheckStatus.NOT_APPLICABLE]


def test_checks_that_read_dry_runs_say_so_and_the_gate_sends_none() -> None:
    reading = {each for each in CHECKS if each.look and "tried" in each.look.__code__.co_names}
    assert {each.id for each in reading} == {"P25", "Q08"}
    assert reading == {each for each in CHECKS if each.needs == "dry runs"}
    assert not any(Phase.MID in each.phases for each in reading)


# --- apply --------------------------------------------------------------------------------------------------


def labelled(network: str) -> dict[str, Any]:
    """Rows of a cluster whose namespace has a network label."""
    return {"namespaces": [space("istio-system", **{NETWORK: network})], "gateways": [], "services": []}


def test_apply_is_refused_with_every_error_and_how_to_go_on() -> None:
    step = Step(Action.CREATE, Key("chart", "cluster1", "base"))
    wrong = facts(**labelled("other"))
    report = run.before_apply(scene(wrong, plan=plan(step)), ())
    with pytest.raises(RefusedError) as refused:
        run.refuse(report)
    assert (
        "P23 cluster1: namespace istio-system has topology.istio.io/network=other, expected cluster1"
        in str(refused.value)
    )
    assert "--skip-check P23" in refused.value.hint
    run.refuse(run.before_apply(scene(wrong, plan=plan(step)), ("P23",)))


def test_a_finding_that_the_plan_fixes_or_in_an_unchanged_cluster_does_not_stop_it() -> None:
    wrong = labelled("other")
    fixing = Step(Action.UPDATE, Key("label", "cluster1", "istio-system"))
    run.refuse(run.before_apply(scene(facts(**wrong), plan=plan(fixing)), ()))
    elsewhere = Step(Action.CREATE, Key("chart", "cluster2", "base"))
    one = scene(facts(**wrong), facts("cluster2"), plan=plan(elsewhere))
    run.refuse(run.before_apply(one, ()))


def test_a_gateway_that_the_plan_fixes_is_not_counted_again_by_its_service() -> None:
    owner = {"ownerReferences": [{"kind": "Gateway", "name": "istio-eastwest"}]}
    copied = obj("s", labels={NETWORK: "other"}, meta=owner)
    seen = {**labelled("cluster1"), "gateways": [gateway(cluster="other")], "services": [copied]}
    step = Step(Action.UPDATE, Key("gateway", "cluster1", "istio-eastwest"))
    run.refuse(run.before_apply(scene(facts(**seen), plan=plan(step)), ()))


def test_an_unknown_check_is_refused_with_the_nearest() -> None:
    with pytest.raises(UsageError) as refused:
        run.chosen(None, ("p7",), ())
    assert "unknown check 'p7'" in str(refused.value)
    assert {each.id for each in run.chosen(Phase.MID, (), ("Q01",))} >= {"Q02", "S12"}
    assert [each.id for each in run.chosen(None, ("Q01",), ())] == ["Q01"]


# --- hints --------------------------------------------------------------------------------------------------


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
def test_a_command_that_only_shows_is_not_called_a_fix(fix: str, word: str) -> None:
    assert run.word_for(fix) == word


def test_a_hint_has_the_names_of_the_cluster_and_none_of_a_comparison() -> None:
    fix = "kubectl --context {context} -n {namespace} get a {cluster}"
    check, one = a_check(lambda *_: [Finding("bad")], fix=fix), scene(facts())
    [result] = run.run(one, (check,)).results
    assert (
        run.fix_of(one, result, result.findings[0])
        == "kubectl --context cluster1 -n istio-system get a cluster1"
    )
    [result] = run.run(one, (a_check(compare=lambda _: [Finding("bad")], fix=fix),)).results
    assert run.fix_of(one, result, result.findings[0]) == "kubectl -n istio-system get a {cluster}"


def test_a_check_of_another_distribution_and_one_without_an_istiod_are_not_applicable() -> None:
    solo = run.run(scene(facts()), (a_check(lambda *_: [], only="upstream"),)).results[0]
    assert (solo.state, solo.why) == (CheckStatus.NOT_APPLICABLE, "applies to upstream only")
    bare = run.run(scene(facts(deployments=[])), (a_check(lambda *_: [], installed=True),)).results[0]
    assert (bare.state, bare.why) == (CheckStatus.NOT_APPLICABLE, "no istiod is installed yet")
