"""GitHub. Sources: REST API version 2022-11-28, and `viewer` and `minimizeComment` of the GraphQL API."""

from __future__ import annotations

from collections.abc import Callable

from mesh.world.forge.http import ForgeError, Http, inner, next_link, rows
from mesh.world.forge.issue_api import IssueApi
from mesh.world.forge.model import Comment, PullRequest

RIGHTS = {
    "/issues/": "`pull-requests: write`",
    "/pulls/": "`pull-requests: read`",
    "/statuses/": "`statuses: write`",
}

VIEWER = "query { viewer { login } }"
MINIMIZE = (
    "mutation($id: ID!) "
    "{ minimizeComment(input: {subjectId: $id, classifier: OUTDATED}) { clientMutationId } }"
)


class GitHub(IssueApi):
    """One pull request of GitHub, or of a GitHub Enterprise Server."""

    def __init__(self, at: PullRequest, token: str, sleep: Callable[[float], object]) -> None:
        headers = {
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {token}",
            "User-Agent": "mesh",
            "X-GitHub-Api-Version": "2022-11-28",
        }
        self.at = at
        self.http = Http(at.api, headers, RIGHTS, sleep)
        # An Enterprise Server has its APIs at /api/v3 and /api/graphql, GitHub itself at / and /graphql.
        self.graphql = Http(at.api.removesuffix("/v3"), headers, {}, sleep)

    def me(self) -> str:
        """Return the login; a token of GitHub Actions may not ask the REST API for it."""
        login = inner(
            self.graphql.send("POST", "/graphql", {"query": VIEWER}).data, "data", "viewer", "login"
        )
        if not isinstance(login, str):
            raise ForgeError("GitHub does not say whose token this is")
        return login

    def comments(self) -> tuple[Comment, ...]:
        """Return the comments of the conversation."""
        path = f"/repos/{self.at.repo}/issues/{self.at.number}/comments?per_page=100"
        return tuple(
            Comment(
                str(each.get("id")),
                str(inner(each, "user", "login")),
                str(each.get("body") or ""),
                str(each.get("node_id") or ""),
            )
            for page in self.http.pages(path, next_link)
            for each in rows(page)
        )

    def approved(self) -> bool:
        """Return whether the newest review of some reviewer approves."""
        reviews = rows(self.http.get(f"/repos/{self.at.repo}/pulls/{self.at.number}/reviews?per_page=100"))
        newest = {
            str(inner(each, "user", "login")): each.get("state")
            for each in reviews
            if each.get("state") in {"APPROVED", "CHANGES_REQUESTED", "DISMISSED"}
        }
        return "APPROVED" in newest.values()

    def number_of(self, head: str) -> str:
        """Return the number of the pull request that was merged as a commit, or contains it."""
        found = rows(self.http.get(f"/repos/{self.at.repo}/commits/{head}/pulls?per_page=100"))
        return str(found[0].get("number") or "") if found else ""

    def hide(self, comment: Comment) -> None:
        """Minimize a comment as outdated."""
        answer = self.graphql.send(
            "POST", "/graphql", {"query": MINIMIZE, "variables": {"id": comment.handle}}
        )
        if inner(answer.data, "errors"):
            raise ForgeError(
                "GitHub does not hide the outdated comment", hint="the token needs " + RIGHTS["/issues/"]
            )
