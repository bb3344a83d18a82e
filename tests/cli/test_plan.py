"""`mesh plan` where no cluster answers: exit codes, formats, parts, and the file that `--out` saves."""

from __future__ import annotations

import json

import pytest

from tests.cli.unreachable import Unreachable


def test_where_no_cluster_answers_there_is_no_plan(unreachable: Unreachable) -> None:
    answer = unreachable("plan", "--detailed-exitcode")
    assert (answer.code, answer.out) == (1, "")
    assert answer.err.startswith("error: no cluster could be read, so there is no plan:")
    assert answer.err.count("cannot be reached: Connection refused") == 2


@pytest.mark.parametrize("args", [("--json",), ("--format", "json", "--stepwise")])
def test_out_saves_a_plan_that_show_prints_as_plan_did(
    args: tuple[str, ...], unreachable: Unreachable
) -> None:
    answer = unreachable("plan", *args, "--out", "plan.json", "--skip-check", "P07")
    plan = json.loads(answer.out)
    assert (answer.code, len(plan["deferred_changes"]), plan["skipped_checks"]) == (1, 25, ["P07"])
    assert (plan["complete"], plan["errored"]) == (False, True)
    assert [each["cluster"] for each in plan["unread"]] == ["cluster1", "cluster2"]
    assert "run:\n  mesh apply plan.json\n" in answer.err
    assert (unreachable.folder / "plan.json").stat().st_mode & 0o777 == 0o600
    assert unreachable("show", "plan.json", "--json").out == answer.out
    assert "Deferred:" in unreachable("show", "plan.json").out
    assert unreachable("show", "plan.json", "--format", "markdown").out.startswith("<!-- mesh-plan ")


def test_out_does_not_write_printed_text(unreachable: Unreachable) -> None:
    answer = unreachable("plan", "--format", "markdown", "--out", "plan.md")
    assert (answer.code, answer.out) == (64, "")
    assert "mesh plan --format markdown | tee plan.md" in answer.err
    assert not (unreachable.folder / "plan.md").exists()


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (("--target", "chart/*/istoid"), "no resource of this mesh matches"),
        (("--exclude", "cluster9"), "did you mean cluster"),
        (("--allow-deletes", "some"), "neither a number nor all"),
    ],
)
def test_a_pattern_or_number_that_is_not_valid_is_a_usage_error(
    args: tuple[str, ...], told: str, unreachable: Unreachable
) -> None:
    answer = unreachable("plan", *args)
    assert (answer.code, answer.out, told in answer.err) == (64, "", True), answer.err


def test_a_target_plans_it_with_what_it_needs_and_says_that_the_plan_is_incomplete(
    unreachable: Unreachable,
) -> None:
    plan = json.loads(unreachable("plan", "--json", "--target", "chart/cluster1/istiod").out)
    addresses = {each["address"] for each in plan["deferred_changes"]}
    assert {"chart/cluster1/istiod", "chart/cluster1/base", "cert/cluster1/cacerts"} <= addresses
    assert not {each for each in addresses if "cluster2" in each or "ztunnel" in each}
    assert (plan["complete"], plan["targets"]) == (False, ["chart/cluster1/istiod"])
    assert plan["warnings"][0].startswith("the plan is incomplete (--target chart/cluster1/istiod)")
    unreachable("plan", "--json", "--exclude", "cluster2", "--out", "plan.json")
    text = unreachable("show", "plan.json").out
    assert "Warning: the plan is incomplete (--exclude cluster2)" in text
    assert "gateway/cluster2" not in text.partition("Warning:")[0]


def test_a_format_that_does_not_exist_is_a_usage_error(unreachable: Unreachable) -> None:
    answer = unreachable("plan", "--format", "yaml")
    assert (answer.code, answer.out) == (64, "")
