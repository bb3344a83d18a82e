"""`mesh apply` where no cluster answers: which options are refused, and which the way to resume repeats."""

from __future__ import annotations

import json

import pytest

from tests.cli.unreachable import Unreachable


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("--confirm", "west"), "--confirm west: there is no cluster west"),
        (("--skip-check", "P99"), "unknown check 'P99'"),
        (("--take", "chart/cluster1"), "'chart/cluster1' is not a valid address"),
        (("--parallelism", "0"), "0 is not in the range 1<=x<=256"),
        (("--target", "nothing"), "no resource of this mesh matches"),
        (("--plan-digest", ""), "it is empty"),
        (("plan.json", "--target", "link"), "--target cannot be used with a saved plan"),
        (("plan.json", "--skip-check", "P07"), "--skip-check cannot be used with a saved plan"),
        (("plan.json", "--stepwise"), "--stepwise cannot be used with a saved plan"),
    ],
)
def test_an_option_that_is_not_valid_is_a_usage_error(
    args: tuple[str, ...], message: str, unreachable: Unreachable
) -> None:
    answer = unreachable("apply", "--yes", *args)
    assert (answer.code, message in answer.err) == (64, True), answer


def test_the_command_to_resume_repeats_every_option_that_changes_the_plan(unreachable: Unreachable) -> None:
    flags = ("--take", "link/cluster1/cluster2", "--allow-downgrade", "--confirm", "cluster1")
    answer = unreachable("apply", "--yes", *flags)
    assert answer.code == 6
    assert answer.out.endswith(f"Resume with: mesh apply -f mesh.yaml {' '.join(flags)} --yes\n")
    assert "apply skips the pre-flight checks" in answer.out


def test_another_plan_than_the_reviewed_one_is_refused_before_anything_is_written(
    unreachable: Unreachable,
) -> None:
    answer = unreachable("apply", "--yes", "--plan-digest", "sha256:00")
    assert (answer.code, "its digest was sha256:00 and is now sha256:" in answer.err) == (3, True)
    assert not (unreachable.folder / "mesh.lock").exists()


def test_the_word_of_terraform_for_yes_is_understood(unreachable: Unreachable) -> None:
    assert unreachable("apply", "--auto-approve").code == unreachable("apply", "--yes").code == 6


def test_with_json_every_line_of_stdout_is_json_and_the_last_is_the_summary(unreachable: Unreachable) -> None:
    answer = unreachable("apply", "--yes", "--json")
    lines = [json.loads(line) for line in answer.out.splitlines()]
    assert [lines[0]["type"], lines[-1]["type"]] == ["version", "change_summary"]
    assert len(lines[-1]["deferred"]) == 25


@pytest.mark.parametrize(
    ("args", "code", "summary", "detail"),
    [
        (("--plan-digest", "sha256:00"), 3, "its digest was sha256:00 and is now sha256:", "plan"),
        (("-f", "missing.yaml"), 1, "missing.yaml", ""),
    ],
)
def test_with_json_a_run_that_is_refused_says_why_as_json(
    args: tuple[str, ...], code: int, summary: str, detail: str, unreachable: Unreachable
) -> None:
    answer = unreachable("apply", "--yes", "--json", *args)
    assert answer.code == code
    first, last = (json.loads(line) for line in answer.out.splitlines())
    assert (first["type"], last["type"], last["@level"]) == ("version", "diagnostic", "error")
    assert last["diagnostic"]["severity"] == "error"
    assert summary in last["diagnostic"]["summary"]
    assert detail in last["diagnostic"]["detail"]
    assert last["@message"].startswith("Error: ")
    assert summary in answer.err


def test_a_saved_plan_is_made_again_with_its_options_and_carried_out_without_a_question(
    unreachable: Unreachable,
) -> None:
    unreachable("plan", "--json", "--target", "cluster1", "--allow-downgrade", "--out", "plan.json")
    answer = unreachable("apply", "plan.json")
    assert answer.code == 6, answer.err  # everything is deferred, as it was at the review
    assert "--target cluster1 --allow-downgrade" in answer.out
    assert "Do you want to perform" not in answer.out


def test_a_saved_plan_of_another_configuration_is_refused(unreachable: Unreachable) -> None:
    unreachable("plan", "--json", "--out", "plan.json")
    file = unreachable.folder / "mesh.yaml"
    text = file.read_text()
    file.write_text(f"# a comment\n{text}")
    assert unreachable("apply", "plan.json").code == 6
    file.write_text(text.replace("spec:\n", "spec:\n  rollout: {pause: 7m}\n"))
    answer = unreachable("apply", "plan.json")
    assert (answer.code, "configuration: reviewed sha256:" in answer.err) == (3, True), answer.err


def test_a_file_that_is_no_plan_is_an_error_of_its_own(unreachable: Unreachable) -> None:
    answer = unreachable("apply", "mesh.yaml")
    assert (answer.code, answer.err.startswith("error: mesh.yaml is not a saved plan")) == (1, True)
    assert unreachable("apply", "missing.json").code == 1
