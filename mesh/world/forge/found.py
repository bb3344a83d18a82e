"""Find the pull request of a pipeline in the variables of its CI system, and connect to its forge."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from mesh.errors import UsageError
from mesh.model.bounded_text import ANSWER, Unfit, loads
from mesh.world.disk.input_file import read_input
from mesh.world.forge.azure import Azure
from mesh.world.forge.bitbucket import Bitbucket
from mesh.world.forge.gitea import Gitea
from mesh.world.forge.github import GitHub
from mesh.world.forge.gitlab import GitLab
from mesh.world.forge.http import inner
from mesh.world.forge.model import Forge, PullRequest

Env = Mapping[str, str]
AnyForge = type[GitHub] | type[GitLab] | type[Gitea] | type[Bitbucket] | type[Azure]

FORGES: Mapping[str, AnyForge] = {
    "github": GitHub,
    "gitlab": GitLab,
    "gitea": Gitea,
    "bitbucket": Bitbucket,
    "azure": Azure,
}

TOKENS: Mapping[str, tuple[str, ...]] = {
    "github": ("GITHUB_TOKEN", "GH_TOKEN"),
    "gitlab": ("GITLAB_TOKEN",),
    "gitea": ("GITEA_TOKEN", "FORGEJO_TOKEN", "GITHUB_TOKEN"),
    "bitbucket": ("BITBUCKET_TOKEN",),
    "azure": ("SYSTEM_ACCESSTOKEN",),
}
"""The variables that hold the token of each forge; the first that is set counts. `MESH_FORGE_TOKEN` wins."""

APIS: Mapping[str, str] = {"github": "https://api.github.com", "bitbucket": "https://api.bitbucket.org/2.0"}
"""The APIs of forges that have one address."""

EVENT_LIMIT = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the command line says about the pull request; "" for what the environment is to say."""

    forge: str = ""
    api: str = ""
    repo: str = ""
    number: str = ""
    head: str = ""


def pull_request(env: Env, wishes: Wishes) -> PullRequest:
    """Return the pull request that flags and environment name; raise UsageError if a part is missing."""
    found = _of_environment(env)
    if wishes.forge and wishes.forge != found.forge:
        found = PullRequest(wishes.forge, APIS.get(wishes.forge, ""), "", "")
    given = {
        "api": wishes.api.rstrip("/"),
        "repo": wishes.repo,
        "number": wishes.number,
        "head": wishes.head,
    }
    found = replace(found, **{name: text for name, text in given.items() if text})
    missing = [
        flag
        for flag, text in (
            ("--forge", found.forge),
            ("--api", found.api),
            ("--repo", found.repo),
            ("--pr", found.number or found.head),
        )
        if not text
    ]
    if missing:
        raise UsageError(
            "the environment does not name a pull request",
            hint=f"run in a pipeline, or add {' '.join(missing)}",
        )
    return _checked(found)


def connect(at: PullRequest, env: Env, sleep: Callable[[float], object]) -> Forge:
    """Return the forge of a pull request; raise UsageError if no variable holds a token.

    After a merge, a pipeline knows only the commit; the forge knows its pull request.
    """
    names = ("MESH_FORGE_TOKEN", *TOKENS[at.forge])
    token = next((env[name] for name in names if env.get(name)), "")
    if not token:
        raise UsageError(f"no token for {at.forge}", hint=f"set {' or '.join(names)}")
    if not token.isascii() or not token.isprintable() or " " in token:
        raise UsageError(f"the token for {at.forge} has characters that no token has")
    forge = FORGES[at.forge](at, token, sleep)
    if at.number:
        return forge
    number = forge.number_of(at.head)
    if not number.isdecimal():
        raise UsageError(f"no pull request has commit {at.head}", hint="add --pr NUMBER")
    return FORGES[at.forge](replace(at, number=number), token, sleep)


def _checked(at: PullRequest) -> PullRequest:
    """Return the pull request if none of its parts can change the address of a request."""
    url = urlsplit(at.api)
    local = url.hostname in {"127.0.0.1", "::1", "localhost"}
    if url.scheme != "https" and not (url.scheme == "http" and local):
        raise UsageError(f"--api {at.api}: the token is only sent by https")
    if url.username or url.password or url.query or url.fragment:
        raise UsageError("--api: write the address of the API without a login, query or fragment")
    plain = all(
        part.replace("-", "").replace("_", "").replace(".", "").isalnum() for part in at.repo.split("/")
    )
    if at.forge != "azure" and (not plain or ".." in at.repo):
        raise UsageError(f"--repo {at.repo}: write owner/name")
    if at.forge == "azure" and (any(sign in at.repo for sign in "?#%") or ".." in at.repo):
        raise UsageError(f"--repo {at.repo}: write project/repository")
    if at.number and not (at.number.isdecimal() and at.number.isascii()):
        raise UsageError(f"--pr {at.number}: write the number of the pull request")
    if at.head and not (at.head.isalnum() and at.head.isascii()):
        raise UsageError(f"--head {at.head}: write the id of a commit")
    return at


def _of_environment(env: Env) -> PullRequest:
    if env.get("GITLAB_CI"):
        return PullRequest(
            "gitlab",
            env.get("CI_API_V4_URL", ""),
            env.get("CI_MERGE_REQUEST_PROJECT_ID") or env.get("CI_PROJECT_ID", ""),
            env.get("CI_MERGE_REQUEST_IID", ""),
            env.get("CI_COMMIT_SHA", ""),
            env.get("CI_JOB_URL", ""),
        )
    if env.get("BITBUCKET_BUILD_NUMBER"):
        repo = env.get("BITBUCKET_REPO_FULL_NAME", "")
        run = f"https://bitbucket.org/{repo}/pipelines/results/{env['BITBUCKET_BUILD_NUMBER']}"
        return PullRequest(
            "bitbucket",
            APIS["bitbucket"],
            repo,
            env.get("BITBUCKET_PR_ID", ""),
            env.get("BITBUCKET_COMMIT", ""),
            run,
        )
    if env.get("TF_BUILD"):
        return _azure(env)
    if env.get("GITHUB_ACTIONS") or env.get("GITEA_ACTIONS") or env.get("FORGEJO_ACTIONS"):
        return _actions(env)
    return PullRequest("", "", "", "")


def _azure(env: Env) -> PullRequest:
    project, repo = env.get("SYSTEM_TEAMPROJECTID", ""), env.get("BUILD_REPOSITORY_ID", "")
    api = env.get("SYSTEM_COLLECTIONURI", "").rstrip("/")
    run = f"{api}/{project}/_build/results?buildId={env.get('BUILD_BUILDID', '')}"
    return PullRequest(
        "azure",
        api,
        f"{project}/{repo}" if project and repo else "",
        env.get("SYSTEM_PULLREQUEST_PULLREQUESTID", ""),
        env.get("SYSTEM_PULLREQUEST_SOURCECOMMITID", ""),
        run if api else "",
    )


def _actions(env: Env) -> PullRequest:
    """Return the pull request of a workflow: of GitHub, or of Gitea and Forgejo, which have its variables."""
    event = _event(env.get("GITHUB_EVENT_PATH", ""))
    is_gitea = bool(env.get("GITEA_ACTIONS") or env.get("FORGEJO_ACTIONS"))
    server, repo = env.get("GITHUB_SERVER_URL", ""), env.get("GITHUB_REPOSITORY", "")
    number = inner(event, "pull_request", "number") or inner(event, "issue", "number") or ""
    head = inner(event, "pull_request", "head", "sha") or env.get("GITHUB_SHA", "")
    run = env.get("GITHUB_RUN_ID", "")
    return PullRequest(
        "gitea" if is_gitea else "github",
        env.get("GITHUB_API_URL", ""),
        repo,
        str(number),
        str(head),
        f"{server}/{repo}/actions/runs/{run}" if server and run else "",
    )


def _event(path: str) -> Any:
    """Return the event that started a workflow, None if there is no file or no JSON in it."""
    try:
        return loads(read_input(Path(path), limit=EVENT_LIMIT), ANSWER) if path else None
    except (OSError, Unfit):
        return None
