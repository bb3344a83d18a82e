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
from tests.support.forges import HEAD, ME, OTHER, REPO, TOKEN, ForgeServer, serving


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
