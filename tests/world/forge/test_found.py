"""The pull request comes from the variables of the CI system, and flags win."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mesh.errors import UsageError
from mesh.world.forge.found import Wishes, connect, pull_request
from mesh.world.forge.model import PullRequest
from tests.support.forges import HEAD, serving

GITLAB = {
    "GITLAB_CI": "true",
    "CI_API_V4_URL": "https://gitlab.example/api/v4",
    "CI_PROJECT_ID": "7",
    "CI_MERGE_REQUEST_IID": "5",
    "CI_COMMIT_SHA": "abc",
    "CI_JOB_URL": "https://gitlab.example/job/1",
}
BITBUCKET = {
    "BITBUCKET_BUILD_NUMBER": "3",
    "BITBUCKET_REPO_FULL_NAME": "o/r",
    "BITBUCKET_PR_ID": "5",
    "BITBUCKET_COMMIT": "abc",
}
AZURE = {
    "TF_BUILD": "True",
    "SYSTEM_COLLECTIONURI": "https://dev.azure.com/org/",
    "SYSTEM_TEAMPROJECTID": "p-1",
    "BUILD_REPOSITORY_ID": "r-1",
    "BUILD_BUILDID": "9",
    "SYSTEM_PULLREQUEST_PULLREQUESTID": "5",
    "SYSTEM_PULLREQUEST_SOURCECOMMITID": "abc",
}


def actions(tmp_path: Path, **more: str) -> dict[str, str]:
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"pull_request": {"number": 5, "head": {"sha": "abc"}}}))
    return {
        "GITHUB_ACTIONS": "true",
        "GITHUB_API_URL": "https://api.github.com",
        "GITHUB_SERVER_URL": "https://github.com",
        "GITHUB_REPOSITORY": "o/r",
        "GITHUB_RUN_ID": "11",
        "GITHUB_SHA": "merge",
        "GITHUB_EVENT_PATH": str(event),
        **more,
    }


def test_each_ci_system_names_its_pull_request(tmp_path: Path) -> None:
    found = [pull_request(env, Wishes()) for env in (actions(tmp_path), GITLAB, BITBUCKET, AZURE)]
    assert found == [
        PullRequest(
            "github", "https://api.github.com", "o/r", "5", "abc", "https://github.com/o/r/actions/runs/11"
        ),
        PullRequest(
            "gitlab", "https://gitlab.example/api/v4", "7", "5", "abc", "https://gitlab.example/job/1"
        ),
        PullRequest(
            "bitbucket",
            "https://api.bitbucket.org/2.0",
            "o/r",
            "5",
            "abc",
            "https://bitbucket.org/o/r/pipelines/results/3",
        ),
        PullRequest(
            "azure",
            "https://dev.azure.com/org",
            "p-1/r-1",
            "5",
            "abc",
            "https://dev.azure.com/org/p-1/_build/results?buildId=9",
        ),
    ]


def test_the_actions_of_gitea_are_not_those_of_github(tmp_path: Path) -> None:
    env = actions(tmp_path, GITEA_ACTIONS="true", GITHUB_API_URL="https://gitea.example/api/v1")
    assert pull_request(env, Wishes()).forge == "gitea"


def test_flags_win_over_the_environment(tmp_path: Path) -> None:
    at = pull_request(actions(tmp_path), Wishes("github", "https://ghe.example/api/v3/", "a/b", "9", "fff"))
    assert (at.api, at.repo, at.number, at.head) == ("https://ghe.example/api/v3", "a/b", "9", "fff")


def test_another_forge_takes_nothing_from_the_environment(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not name a pull request") as caught:
        pull_request(actions(tmp_path), Wishes("gitea"))
    assert caught.value.hint == "run in a pipeline, or add --api --repo --pr"


@pytest.mark.parametrize(
    ("wishes", "words"),
    [
        (Wishes("gitea", "http://gitea.example/api/v1", "o/r", "5"), "only sent by https"),
        (Wishes("gitea", "https://me:pw@gitea.example", "o/r", "5"), "without a login"),
        (Wishes("gitea", "https://gitea.example", "o/r/../../x", "5"), "write owner/name"),
        (Wishes("gitea", "https://gitea.example", "o/r?x=1", "5"), "write owner/name"),
        (Wishes("gitea", "https://gitea.example", "o/r", "5/../6"), "write the number"),
        (Wishes("gitea", "https://gitea.example", "o/r", "5", "a/b"), "write the id of a commit"),
    ],
)
def test_no_part_can_change_where_a_request_goes(wishes: Wishes, words: str) -> None:
    with pytest.raises(UsageError, match=words) as caught:
        pull_request({}, wishes)
    assert "pw" not in caught.value.message


def test_a_damaged_event_is_no_pull_request(tmp_path: Path) -> None:
    env = actions(tmp_path)
    Path(env["GITHUB_EVENT_PATH"]).write_text("[" * 100_000)
    at = pull_request(env, Wishes())
    assert (at.number, at.head) == ("", "merge")


def test_a_token_comes_from_the_environment_only() -> None:
    at = PullRequest("github", "https://api.github.com", "o/r", "5")
    with pytest.raises(UsageError, match="no token for github") as caught:
        connect(at, {}, lambda _seconds: None)
    assert caught.value.hint == "set MESH_FORGE_TOKEN or GITHUB_TOKEN or GH_TOKEN"
    with pytest.raises(UsageError, match="characters that no token has"):
        connect(at, {"GITHUB_TOKEN": "a\r\nX: y"}, lambda _seconds: None)


def test_after_a_merge_the_forge_knows_the_pull_request() -> None:
    with serving("gitea") as server:
        at = PullRequest("gitea", server.api, "o/r", "", HEAD)
        forge = connect(at, {"GITEA_TOKEN": "x"}, lambda _seconds: None)
        forge.create("done")
        assert server.posts
