"""The client at a real Gitea; the server of the other tests answers with what the real one has."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from mesh.world.forge.gitea import Gitea as Client
from mesh.world.forge.http import Answer, ForgeError, Http
from mesh.world.forge.model import PullRequest
from tests.support import forges
from tests.support.gitea_server import ADMIN, BOT, SCOPES, Gitea


@pytest.fixture
def at(gitea: Gitea) -> PullRequest:
    """A pull request that adds a file."""
    name = f"mesh-{secrets.token_hex(4)}"
    gitea.ask("POST", "/user/repos", {"name": name, "auto_init": True, "default_branch": "main"})
    repo = f"{ADMIN}/{name}"
    gitea.ask("PUT", f"/repos/{repo}/collaborators/{BOT}", {"permission": "write"})
    gitea.ask("PUT", f"/repos/{repo}/collaborators/bob", {"permission": "write"})
    file = {"content": "", "message": "Add a file", "branch": "main", "new_branch": "topic"}
    gitea.ask("POST", f"/repos/{repo}/contents/mesh.yaml", file)
    made = gitea.open(repo, "topic")
    return PullRequest(
        "gitea", gitea.api, repo, str(made["number"]), made["head"]["sha"], "https://ci.example/1"
    )


def client(at: PullRequest, token: str) -> Client:
    return Client(at, token, lambda _seconds: None)


def test_comments_are_created_found_edited_and_folded(gitea: Gitea, at: PullRequest) -> None:
    issue = f"/repos/{at.repo}/issues/{at.number}/comments"
    gitea.ask("POST", issue, {"body": "hello"}, who="mallory")
    forge = client(at, gitea.token(BOT, *SCOPES))
    forge.create("<!-- mesh-plan {} -->\nfirst")
    theirs, mine = forge.comments()
    assert (theirs.author, mine.author, forge.me()) == ("mallory", BOT, BOT)
    forge.edit(mine, "<!-- mesh-plan {} -->\nsecond")
    forge.hide(forge.comments()[-1])
    assert [each["body"].split() for each in gitea.ask("GET", issue)] == [
        ["hello"],
        ["<details><summary>Outdated", "plan</summary>", "second", "</details>"],
    ]


def test_an_approval_counts_until_it_is_dismissed(gitea: Gitea, at: PullRequest) -> None:
    forge = client(at, gitea.token(BOT, *SCOPES))
    assert not forge.approved()
    reviews = f"/repos/{at.repo}/pulls/{at.number}/reviews"
    made = gitea.ask("POST", reviews, {"event": "APPROVED", "body": "good"}, who="bob")
    assert forge.approved()
    gitea.ask("POST", f"{reviews}/{made['id']}/dismissals", {"message": "it is another plan"})
    assert not forge.approved()


def test_a_status_stands_at_the_commit(gitea: Gitea, at: PullRequest) -> None:
    client(at, gitea.token(BOT, *SCOPES)).status("failure", "x" * 300, "mesh/prod")
    (found,) = gitea.ask("GET", f"/repos/{at.repo}/commits/{at.head}/statuses")
    assert (found["status"], found["context"], found["target_url"]) == ("failure", "mesh/prod", at.run)
    assert found["description"] == "x" * 140


@pytest.mark.parametrize("style", ["merge", "squash", "rebase", "rebase-merge"])
def test_the_pull_request_of_a_merged_commit_is_found(gitea: Gitea, at: PullRequest, style: str) -> None:
    forge = client(at, gitea.token(BOT, *SCOPES))
    gitea.merge(at.repo, at.number, style)
    merged = gitea.ask("GET", f"/repos/{at.repo}/branches/main")["commit"]["id"]
    assert forge.number_of(merged) == at.number
    assert forge.number_of("0" * 40) == ""


@pytest.mark.parametrize(
    ("scopes", "needed"),
    [
        (("write:issue", "write:repository"), "the token needs the scope `read:user`"),
        (("read:user", "read:issue", "write:repository"), "the token needs the scope `write:issue`"),
        (("read:user", "write:issue", "read:repository"), "the token needs the scope `write:repository`"),
        (("read:user", "write:issue"), "the token needs the scope `read:repository`"),
    ],
)
def test_the_scope_that_a_token_lacks_is_named(
    gitea: Gitea, at: PullRequest, scopes: tuple[str, ...], needed: str
) -> None:
    forge = client(at, gitea.token(BOT, *scopes))
    with pytest.raises(ForgeError) as told:
        forge.me()
        forge.create("text")
        forge.approved()
        forge.status("success", "text", "mesh/prod")
    assert (told.value.status, told.value.hint) == (403, needed)


def test_a_wrong_token_is_told_and_not_printed(at: PullRequest) -> None:
    with pytest.raises(ForgeError) as told:
        client(at, "0123456789abcdef").me()
    assert told.value.status == 401
    assert "0123456789abcdef" not in f"{told.value.message}{told.value.hint}"


def test_a_text_of_the_greatest_length_arrives_whole(gitea: Gitea, at: PullRequest) -> None:
    forge = client(at, gitea.token(BOT, *SCOPES))
    text = "é" * (forge.limit // 2)
    forge.create(text)
    assert forge.comments()[-1].body == text


@dataclass(frozen=True, slots=True)
class Kept(Http):
    """Keeps method, path and data of each answer."""

    answers: list[tuple[str, str, Any]] = field(default_factory=list)

    def send(self, method: str, path: str, body: dict[str, Any] | None = None) -> Answer:
        answer = Http.send(self, method, path, body)
        self.answers.append((method, path, answer.data))
        return answer


def shape(data: Any) -> Any:
    """What an answer is made of: names and types; of a list, its first element."""
    if isinstance(data, dict):
        return {name: shape(value) for name, value in data.items()}
    if isinstance(data, list):
        return [shape(each) for each in data[:1]]
    return type(data).__name__


def lacking(stand_in: Any, real: Any, where: str = "") -> list[str]:
    """Return what a shape has and the real one does not."""
    if isinstance(stand_in, dict) and isinstance(real, dict):
        return [
            text
            for name, each in stand_in.items()
            for text in (
                lacking(each, real[name], f"{where}.{name}") if name in real else [f"{where}.{name}"]
            )
        ]
    if isinstance(stand_in, list) and isinstance(real, list):
        return lacking(stand_in[0], real[0], f"{where}[]") if stand_in and real else []
    return [] if stand_in == real else [f"{where}: {stand_in}, not {real}"]


def carried_out(at: PullRequest, token: str, approve: Callable[[], object]) -> list[tuple[str, str, Any]]:
    """Everything that mesh asks of a forge, and the answers."""
    forge = client(at, token)
    forge.http = kept = Kept(at.api, forge.http.headers)
    forge.create("first")
    forge.edit(forge.comments()[-1], "second")
    forge.me()
    approve()
    assert forge.approved()
    forge.status("success", "text", "mesh/prod")
    return kept.answers


def test_the_server_of_the_other_tests_answers_with_what_gitea_has(gitea: Gitea, at: PullRequest) -> None:
    with forges.serving("gitea") as server:
        here = PullRequest("gitea", server.api, forges.REPO["gitea"], "5", forges.HEAD)
        told = carried_out(here, forges.TOKEN, lambda: setattr(server, "is_approved", True))
    reviews = f"/repos/{at.repo}/pulls/{at.number}/reviews"
    real = carried_out(
        at,
        gitea.token(BOT, *SCOPES),
        lambda: gitea.ask("POST", reviews, {"event": "APPROVED", "body": "good"}, who="bob"),
    )
    assert [(method, len(path.split("/"))) for method, path, _ in told] == [
        (method, len(path.split("/"))) for method, path, _ in real
    ]
    read = [each for each in zip(told, real, strict=True) if each[0][0] == "GET"]
    assert [
        f"{here[1]}{text}" for here, there in read for text in lacking(shape(here[2]), shape(there[2]))
    ] == []
    assert lacking({"a": 1, "b": [{"c": 1}]}, {"b": [{"d": 1}]}) == [".a", ".b[].c"]
