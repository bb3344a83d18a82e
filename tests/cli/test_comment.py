"""`mesh comment`: what is posted where, and what is refused before anything is sent."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mesh.cli.comment import comment_command
from mesh.cli.views.plan_file import plan_file
from tests.cli.views.plans import FULL
from tests.support.forges import HEAD, OTHER, REPO, TOKEN, serving


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    path = tmp_path / "plan.json"
    path.write_text(plan_file(FULL))
    return path


def comment(*args: object, env: dict[str, str] | None = None) -> Result:
    return CliRunner().invoke(
        comment_command, [*map(str, args)], env={"MESH_FORGE_TOKEN": TOKEN, **(env or {})}
    )


def test_a_plan_is_posted_once_and_then_left_alone(plan: Path) -> None:
    with serving("gitea") as server:
        at = ("--forge", "gitea", "--api", server.api, "--repo", REPO["gitea"], "--pr", "5", "--head", HEAD)
        assert comment(plan, *at).exit_code == 0
        assert comment(plan, *at).exit_code == 0
        (post,) = server.posts
        assert post.body.startswith('<!-- mesh-plan {"mesh": "prod"')
        assert "Plan: 1 to import, 3 to add, 2 to change, 2 to destroy." in post.body


def test_the_digest_of_the_posted_plan_is_printed(plan: Path) -> None:
    with serving("gitea") as server:
        at = ("--forge", "gitea", "--api", server.api, "--repo", REPO["gitea"], "--pr", "5", "--head", HEAD)
        asked = (*at, "--mesh", "prod", "--print-digest")
        server.say(OTHER, '<!-- mesh-plan {"mesh": "prod", "digest": "sha256:forged"} -->')
        nothing = comment(*asked)
        assert (nothing.exit_code, nothing.stdout) == (0, "")
        assert "this account has posted no plan of mesh prod" in nothing.stderr
        comment(plan, *at)
        printed = comment(*asked)
        assert (printed.exit_code, printed.stdout) == (0, f"{FULL.digest}\n")
        failed = plan.with_name("plan.err")
        failed.write_text("error: no")
        comment("--mesh", "prod", "--error", failed, *at)
        assert "holds no plan that can be applied" in str(comment(*asked).exception)
        server.posts[-1].body = '<!-- mesh-plan {"mesh": "prod", "digest": "\\n"} -->'
        assert "holds no plan that can be applied" in str(comment(*asked).exception)
        assert len(server.posts) == 2


def test_mistakes_are_annotated_in_a_pipeline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("plan.err").write_text("mesh.yaml:3:1: spec: is missing\n")
    with serving("gitea") as server:
        at = ("--forge", "gitea", "--api", server.api, "--repo", REPO["gitea"], "--pr", "5", "--head", HEAD)
        asked = ("--mesh", "prod", "--error", "plan.err", *at)
        in_pipeline = {"GITHUB_ACTIONS": "true", "GITHUB_WORKSPACE": str(tmp_path.parent)}
        told = comment(*asked, env=in_pipeline)
        assert told.stdout == f"::error file={tmp_path.name}/mesh.yaml,line=3,col=1::spec: is missing\n"
        assert comment(*asked, env={"GITHUB_ACTIONS": ""}).stdout == ""


def test_a_dry_run_prints_and_sends_nothing(plan: Path) -> None:
    with serving("gitea") as server:
        at = ("--forge", "gitea", "--api", server.api, "--repo", REPO["gitea"], "--pr", "5", "--head", HEAD)
        answer = comment(plan, *at, "--dry-run")
        assert answer.exit_code == 0
        assert "### mesh plan: prod" in answer.output
        assert server.posts == []


@pytest.mark.parametrize(
    ("args", "why"),
    [
        (("--error", "plan.err"), "--error needs --mesh NAME"),
        (("--print-digest",), "--print-digest needs --mesh NAME"),
        (("--print-digest", "--mesh", "prod", "--dry-run"), "--print-digest needs --mesh NAME"),
        ((), "no plan"),
    ],
)
def test_what_is_missing_is_told_before_anything_is_sent(
    args: tuple[str, ...], why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("plan.err").write_text("error: no")
    with serving("gitea") as server:
        at = ("--forge", "gitea", "--api", server.api, "--repo", REPO["gitea"], "--pr", "5", "--head", HEAD)
        answer = comment(*args, *at)
        assert answer.exit_code != 0
        assert why in str(answer.exception)
        assert server.posts == []
