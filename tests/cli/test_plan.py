"""`mesh plan` where no cluster answers: exit codes, formats and the file that `--out` writes."""

from __future__ import annotations

import json

import pytest

from tests.cli.unreachable import Unreachable


def test_a_plan_that_defers_ends_with_2_only_if_asked(unreachable: Unreachable) -> None:
    assert unreachable("plan", "--detailed-exitcode").code == 2
    assert unreachable("plan").code == 0


@pytest.mark.parametrize("args", [("--json",), ("--format", "json", "--stepwise")])
def test_out_writes_what_is_printed(args: tuple[str, ...], unreachable: Unreachable) -> None:
    answer = unreachable("plan", *args, "--out", "plan.json", "--skip-check", "P07")
    assert (answer.code, answer.out) == (0, (unreachable.folder / "plan.json").read_text())
    plan = json.loads(answer.out)
    assert (len(plan["deferred_changes"]), plan["skipped_checks"]) == (25, ["P07"])


def test_a_format_that_does_not_exist_is_a_usage_error(unreachable: Unreachable) -> None:
    answer = unreachable("plan", "--format", "yaml")
    assert (answer.code, answer.out) == (64, "")
