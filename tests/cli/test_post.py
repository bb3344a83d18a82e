"""One comment for each mesh is kept up to date, whatever happens to it meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest

from mesh.cli.post import MAX_JOB_SUMMARY, Content, add_outcome, post, to_job_summary
from mesh.cli.views.sticky import marker
from mesh.world.forge.found import FORGES
from mesh.world.forge.model import Forge, PullRequest
from tests.support.forges import HEAD, ME, OTHER, REPO, TOKEN, ForgeServer, serving

PLAN = Content(
    "prod", "sha256:1", "<!-- -->\n### mesh plan: prod\n\nfirst\n", "Plan: 1 to add.", is_empty=False
)
DONE = {"@message": "Apply complete!", "complete": True}


@pytest.fixture(params=sorted(FORGES))
def server(request: pytest.FixtureRequest) -> Iterator[ForgeServer]:
    with serving(request.param) as found:
        yield found


@pytest.fixture
def at(server: ForgeServer) -> PullRequest:
    return PullRequest(server.dialect, server.api, REPO[server.dialect], "5", HEAD, "https://ci.example/1")


@pytest.fixture
def forge(at: PullRequest) -> Forge:
    return FORGES[at.forge](at, TOKEN, lambda _seconds: None)


def visible(server: ForgeServer) -> list[str]:
    return [each.body for each in server.posts if marker(each.body) and each.author == ME and not each.hidden]


def test_a_second_plan_edits_the_comment_and_names_the_new_commit(
    server: ForgeServer, forge: Forge, at: PullRequest
) -> None:
    post(forge, at, PLAN)
    post(forge, replace(at, head="def456"), replace(PLAN, digest="sha256:2"))
    (text,) = visible(server)
    assert len(server.posts) == 1
    found = marker(text)
    assert found
    assert (found.digest, found.head) == ("sha256:2", "def456")
    assert text.rstrip().endswith("for commit def456")


def test_a_forged_marker_is_ignored(server: ForgeServer, forge: Forge, at: PullRequest) -> None:
    forged = server.say(OTHER, PLAN.body(at, forge))
    post(forge, at, PLAN)
    assert len(visible(server)) == 1
    assert forged.body == PLAN.body(at, forge)


def test_a_plan_that_changed_after_an_approval_is_a_new_comment(
    server: ForgeServer, forge: Forge, at: PullRequest
) -> None:
    post(forge, at, PLAN)
    server.is_approved = True
    post(forge, at, replace(PLAN, digest="sha256:2"))
    assert len(visible(server)) == 1
    assert len(server.posts) == 2
    assert "sha256:2" in visible(server)[0]


def test_an_outcome_is_added_to_the_plan(server: ForgeServer, forge: Forge, at: PullRequest) -> None:
    post(forge, at, PLAN)
    add_outcome(forge, at, PLAN, {"@message": "Apply incomplete!", "complete": False})
    add_outcome(forge, at, PLAN, DONE)
    (text,) = visible(server)
    assert "first" in text
    assert "incomplete" not in text
    assert "**Apply complete!**" in unescape(text)
    assert [each["state"].lower()[:4] for each in server.statuses] == ["succ", "fail", "succ"]


def test_an_outcome_without_a_comment_starts_one(server: ForgeServer, forge: Forge, at: PullRequest) -> None:
    add_outcome(forge, at, PLAN, None)
    (text,) = visible(server)
    assert "ended without a result" in text


def test_a_token_that_may_not_set_a_status_is_enough_for_the_comment(
    server: ForgeServer, at: PullRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    forge = FORGES[at.forge](replace(at, head="unknown"), TOKEN, lambda _seconds: None)
    post(forge, at, PLAN)
    assert len(visible(server)) == 1
    if at.forge != "azure":  # its statuses belong to the pull request, not to the commit
        assert "Warning: no commit status" in capsys.readouterr().err


def test_a_job_summary_is_added_if_it_fits(tmp_path: Path) -> None:
    path = tmp_path / "summary"
    env = {"GITHUB_STEP_SUMMARY": str(path)}
    to_job_summary(env, "<!-- -->\nplan")
    to_job_summary(env, "<!-- -->\n" + "x" * MAX_JOB_SUMMARY)
    to_job_summary({}, "plan")
    assert path.read_text() == "plan\n"
