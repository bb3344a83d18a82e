"""Bitbucket Cloud. Source: its API 2.0. Its Markdown has no HTML: a link definition is what does not show."""

from __future__ import annotations

from collections.abc import Callable

from mesh.world.forge.http import Answer, ForgeError, Http, inner, rows
from mesh.world.forge.model import Comment, PullRequest, State

RIGHTS = {
    "/comments": "the scope `pullrequest:write`",
    "/statuses/": "the scope `repository:write`",
    "/pullrequests/": "the scope `pullrequest`",
    "/user": "the scope `account`",
}

_STATES = {"pending": "INPROGRESS", "success": "SUCCESSFUL", "failure": "FAILED"}


def _next(answer: Answer) -> object:
    return inner(answer.data, "next")


class Bitbucket:
    """One pull request of Bitbucket Cloud."""

    limit = 32_000
    folds = html = False

    def __init__(self, at: PullRequest, token: str, sleep: Callable[[float], object]) -> None:
        self.at = at
        self.request = f"/repositories/{at.repo}/pullrequests/{at.number}"
        self.http = Http(at.api, {"Authorization": f"Bearer {token}", "User-Agent": "mesh"}, RIGHTS, sleep)

    def me(self) -> str:
        """Return the id of the token's account."""
        found = inner(self.http.get("/user"), "uuid")
        if not isinstance(found, str):
            raise ForgeError("Bitbucket does not say whose token this is")
        return found

    def comments(self) -> tuple[Comment, ...]:
        """Return the comments that are not deleted."""
        return tuple(
            Comment(
                str(each.get("id")),
                str(inner(each, "user", "uuid")),
                str(inner(each, "content", "raw") or ""),
            )
            for page in self.http.pages(f"{self.request}/comments?pagelen=100", _next)
            for each in rows(inner(page, "values"))
            if not each.get("deleted")
        )

    def approved(self) -> bool:
        """Return whether a participant approves."""
        return any(each.get("approved") for each in rows(inner(self.http.get(self.request), "participants")))

    def number_of(self, head: str) -> str:
        """Return the number of the pull request that a commit came with."""
        found = self.http.get(f"/repositories/{self.at.repo}/commit/{head}/pullrequests")
        numbers = [each.get("id") for each in rows(inner(found, "values"))]
        return str(numbers[0]) if numbers else ""

    def create(self, body: str) -> None:
        """Add a comment."""
        self.http.send("POST", f"{self.request}/comments", {"content": {"raw": body}})

    def edit(self, comment: Comment, body: str) -> None:
        """Replace the text of a comment."""
        self.http.send("PUT", f"{self.request}/comments/{comment.id}", {"content": {"raw": body}})

    def hide(self, comment: Comment) -> None:
        """Delete an outdated comment: Bitbucket can neither hide nor fold one."""
        self.http.send("DELETE", f"{self.request}/comments/{comment.id}")

    def status(self, state: State, text: str, name: str) -> None:
        """Set a build status; Bitbucket requires the address of a page with it."""
        if self.at.head and self.at.run:
            body = {
                "key": name[:40],
                "name": name,
                "state": _STATES[state],
                "description": text[:255],
                "url": self.at.run,
            }
            self.http.send("POST", f"/repositories/{self.at.repo}/commit/{self.at.head}/statuses/build", body)
