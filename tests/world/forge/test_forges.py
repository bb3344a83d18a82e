"""Every forge does the same in its own dialect, at a server that speaks it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mesh.world.forge.azure import Azure
from mesh.world.forge.bitbucket import Bitbucket
from mesh.world.forge.found import FORGES
from mesh.world.forge.gitea import Gitea
from mesh.world.forge.github import GitHub
from mesh.world.forge.gitlab import GitLab
from mesh.world.forge.model import Forge, PullRequest
from tests.support.forges import HEAD, ME, OTHER, REPO, TOKEN, ForgeServer, Sent, serving
from tests.support.github_api import problems


@pytest.fixture(params=sorted(FORGES))
def server(request: pytest.FixtureRequest) -> Iterator[ForgeServer]:
    with serving(request.param) as found:
        yield found


@pytest.fixture
def forge(server: ForgeServer) -> Forge:
    at = PullRequest(server.dialect, server.api, REPO[server.dialect], "5", HEAD, "https://ci.example/1")
    return FORGES[server.dialect](at, TOKEN, lambda _seconds: None)


def test_each_forge_has_its_client() -> None:
    assert set(FORGES.values()) == {Azure, Bitbucket, Gitea, GitHub, GitLab}


def test_a_comment_is_created_found_and_edited(server: ForgeServer, forge: Forge) -> None:
    server.say(OTHER, "hello")
    forge.create("first")
    *_, mine = forge.comments()
    assert (mine.author, mine.body) == (forge.me(), "first")
    forge.edit(mine, "second")
    assert [post.body for post in server.posts] == ["hello", "second"]
    assert forge.comments()[0].author != forge.me()
    assert set(server.tokens) == {TOKEN}


def test_an_outdated_comment_is_out_of_the_way(server: ForgeServer, forge: Forge) -> None:
    post = server.say(ME, "<!-- mesh-plan {} -->\nold plan")
    forge.hide(forge.comments()[0])
    assert post.hidden or post.body == (
        "<details><summary>Outdated plan</summary>\n\nold plan\n\n</details>\n"
    )


def test_an_approval_is_seen(server: ForgeServer, forge: Forge) -> None:
    assert not forge.approved()
    server.is_approved = True
    assert forge.approved()


def test_a_status_is_set_on_the_commit(server: ForgeServer, forge: Forge) -> None:
    forge.status("failure", "x" * 300, "mesh/prod")
    (sent,) = server.statuses
    assert sent["state"] in {"failure", "failed", "FAILED"}
    assert len(sent["description"]) <= 255
    assert "https://ci.example/1" in sent.values()


def test_the_pull_request_of_a_commit_is_found(forge: Forge) -> None:
    assert forge.number_of(HEAD) == "5"


@pytest.mark.parametrize("dialect", ["github", "gitlab"])
def test_every_page_is_read(dialect: str) -> None:
    with serving(dialect) as server:
        server.page = 2
        for number in range(5):
            server.say(OTHER, str(number))
        at = PullRequest(dialect, server.api, REPO[dialect], "5")
        FORGES[dialect](at, TOKEN, lambda _seconds: None).comments()
        assert len(server.asked) == 3


def test_what_is_sent_to_github_and_read_from_it_is_as_github_describes_it() -> None:
    with serving("github") as server:
        at = PullRequest("github", server.api, REPO["github"], "5", HEAD, "https://ci.example/1")
        forge = GitHub(at, TOKEN, lambda _seconds: None)
        server.is_approved = True
        forge.create("first")
        forge.edit(forge.comments()[-1], "second")
        forge.hide(forge.comments()[-1])
        forge.status("success", "Plan: 1 to add", "mesh/prod")
        assert forge.approved()
        assert forge.number_of(HEAD) == "5"
        assert forge.me() == ME
    assert {each.path for each in server.sent} >= {"/graphql", "/repos/o/r/issues/5/comments"}
    assert [text for each in server.sent for text in problems(each)] == []


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        (
            Sent("POST", "/repos/o/r/issues/5/comments", "", {"text": "x"}, None),
            "'body' is a required property",
        ),
        (Sent("POST", "/repos/o/r/issues/5/comment", "", {}, None), "GitHub has no POST"),
        (Sent("GET", "/repos/o/r/issues/5/comments", "size=9", None, []), "no parameter size"),
        (Sent("GET", "/user", "", None, {"name_of_user": "x"}), "is not a property"),
        (Sent("POST", "/graphql", "", {"query": "{ viewer { nick } }"}, None), "Cannot query field 'nick'"),
    ],
)
def test_what_github_does_not_describe_is_found(sent: Sent, why: str) -> None:
    assert any(why in text for text in problems(sent)), problems(sent)
