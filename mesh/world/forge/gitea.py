"""Gitea and Forgejo. Source: their OpenAPI description, at /swagger.v1.json of every server."""

from __future__ import annotations

from collections.abc import Callable

from mesh.world.forge.http import ForgeError, Http, inner, rows
from mesh.world.forge.issue_api import IssueApi
from mesh.world.forge.model import Comment, PullRequest, outdated

RIGHTS = {
    "/user": "the scope `read:user`",
    "/issues/": "the scope `write:issue`",
    "/pulls/": "the scope `read:repository`",
    "/statuses/": "the scope `write:repository`",
}


class Gitea(IssueApi):
    """One pull request of Gitea or Forgejo."""

    def __init__(self, at: PullRequest, token: str, sleep: Callable[[float], object]) -> None:
        self.at = at
        self.http = Http(at.api, {"Authorization": f"token {token}", "User-Agent": "mesh"}, RIGHTS, sleep)

    def me(self) -> str:
        """Return the login of the token's account."""
        login = inner(self.http.get("/user"), "login")
        if not isinstance(login, str):
            raise ForgeError("Gitea does not say whose token this is")
        return login

    def comments(self) -> tuple[Comment, ...]:
        """Return the comments of the conversation: this list has no pages."""
        found = self.http.get(f"/repos/{self.at.repo}/issues/{self.at.number}/comments")
        return tuple(
            Comment(str(each.get("id")), str(inner(each, "user", "login")), str(each.get("body") or ""))
            for each in rows(found)
        )

    def approved(self) -> bool:
        """Return whether a review approves and was not dismissed."""
        reviews = rows(self.http.get(f"/repos/{self.at.repo}/pulls/{self.at.number}/reviews?limit=50"))
        return any(each.get("state") == "APPROVED" and not each.get("dismissed") for each in reviews)

    def number_of(self, head: str) -> str:
        """Return the number of the pull request that was merged as a commit."""
        try:
            found = self.http.get(f"/repos/{self.at.repo}/commits/{head}/pull")
        except ForgeError as error:
            if error.status == 404:
                return ""
            raise
        return str(inner(found, "number") or "")

    def hide(self, comment: Comment) -> None:
        """Fold an outdated comment: Gitea cannot hide one."""
        self.edit(comment, outdated(comment.body))
