"""The pipelines of `examples/ci` are what their forges accept, and each checker would say if one were not."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.pipelines import EXAMPLES, SCHEMAS, file_problems, pieces, problems

ARGO = EXAMPLES / "argo"
CHECKOUT = "08c6903cd8c0fde910a37f88322edcfb5dd907a8 # v5.0.0"


def test_no_checker_finds_anything() -> None:
    assert problems() == []


@pytest.mark.parametrize(
    ("name", "right", "wrong", "checker"),
    [
        ("github/workflow.yaml", f"checkout@{CHECKOUT}", "checkout@main", "zizmor"),
        ("github/workflow.yaml", "steps.drift.outputs.code", "steps.drift.output.code", "actionlint"),
        ("github/workflow.yaml", "runs-on: ubuntu-24.04", "runs_on: ubuntu-24.04", "check-jsonschema"),
        ("github/action.yml", "using: composite", "using: composed", "check-jsonschema"),
        ("gitlab/gitlab-ci.yml", "stages: [plan, apply]", "stages: plan", "check-jsonschema"),
        ("azure/azure-pipelines.yml", "- checkout: self", "- checkouts: self", "check-jsonschema"),
        ("pipeline.sh", '--mesh "$MESH_NAME"', "--mesh $MESH_NAME", "shellcheck"),
        ("atlantis/repos.yaml", 'mesh apply "$PLANFILE"', "mesh apply $PLANFILE", "shellcheck"),
        ("argo/workflows.yaml", "unset CONTENT", "unset $CONTENT", "shellcheck"),
    ],
)
def test_a_mistake_is_found(name: str, right: str, wrong: str, checker: str, tmp_path: Path) -> None:
    folder = tmp_path / "ci"
    shutil.copytree(EXAMPLES, folder)
    path = folder / name
    text = path.read_text("utf-8")
    assert right in text
    path.write_text(text.replace(right, wrong), "utf-8")
    assert [each for each in file_problems(path, name) if checker in each]


def test_every_file_of_a_pipeline_is_looked_at() -> None:
    known = {*SCHEMAS, "pipeline.sh"}
    by_shell = {"atlantis/repos.yaml", "argo/workflows.yaml"}
    apart = {"argo/workflow.py", "atlantis/atlantis.yaml"}
    found = {str(path.relative_to(EXAMPLES)) for path in EXAMPLES.rglob("*") if path.is_file()}
    assert {each for each in found if "__pycache__" not in each} == known | by_shell | apart


def test_the_shell_of_a_pipeline_is_found_wherever_it_is() -> None:
    document = {
        "a": [{"run": "one"}, {"script": ["two", "three"]}],
        "command": ["bash", "-c"],
        "args": ["four"],
    }
    assert list(pieces(document)) == ["one\n", "two\nthree\n", "four\n"]


def test_the_workflows_of_argo_are_what_their_program_writes() -> None:
    command = [sys.executable, "-W", "error", str(ARGO / "workflow.py")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == (ARGO / "workflows.yaml").read_text("utf-8")
