"""What GitHub and Gitea have in common is sent alike."""

from __future__ import annotations

import pytest

from mesh.world.forge.gitea import Gitea
from mesh.world.forge.github import GitHub
from mesh.world.forge.issue_api import IssueApi
from mesh.world.forge.model import Comment, PullRequest
from tests.support.forges import HEAD, ME, REPO, TOKEN, serving


def conversation(dialect: str, api: str, head: str = HEAD, run: str = "") -> IssueApi:
    kind = {"github": GitHub, "gitea": Gitea}[dialect]
    return kind(PullRequest(dialect, api, REPO[dialect], "5", head, run), TOKEN, lambda _seconds: None)


@pytest.mark.parametrize("dialect", ["github", "gitea"])
def test_a_comment_is_one_of_the_issue_and_edited_by_its_id(dialect: str) -> None:
    with serving(dialect) as server:
        one = conversation(dialect, server.api)
        one.create("first")
        one.edit(Comment("1", ME, "first"), "second")
        assert [post.body for post in server.posts] == ["second"]
        assert [method for method, _ in server.asked] == ["POST", "PATCH"]


@pytest.mark.parametrize("dialect", ["github", "gitea"])
def test_a_status_leaves_out_what_is_not_known(dialect: str) -> None:
    with serving(dialect) as server:
        conversation(dialect, server.api).status("success", "done", "mesh/prod")
        conversation(dialect, server.api, head="").status("success", "done", "mesh/prod")
        assert server.statuses == [{"state": "success", "description": "done", "context": "mesh/prod"}]
