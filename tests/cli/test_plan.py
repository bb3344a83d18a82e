"""`mesh plan` where no cluster answers: exit codes, formats and the file that `--out` writes."""

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
def test_out_writes_what_is_printed(args: tuple[str, ...], unreachable: Unreachable) -> None:
    answer = unreachable("plan", *args, "--out", "plan.json", "--skip-check", "P07")
    assert (answer.code, answer.out) == (1, (unreachable.folder / "plan.json").read_text())
    plan = json.loads(answer.out)
    assert (len(plan["deferred_changes"]), plan["skipped_checks"]) == (25, ["P07"])
    assert (plan["complete"], plan["errored"]) == (False, True)
    assert [each["cluster"] for each in plan["unread"]] == ["cluster1", "cluster2"]


def test_a_format_that_does_not_exist_is_a_usage_error(unreachable: Unreachable) -> None:
    answer = unreachable("plan", "--format", "yaml")
    assert (answer.code, answer.out) == (64, "")
