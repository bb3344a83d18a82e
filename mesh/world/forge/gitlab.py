"""GitLab. Source: the API v4 for notes and approvals of merge requests, and for commit statuses."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

from mesh.world.forge.http import ForgeError, Http, inner, next_link, rows
from mesh.world.forge.model import Comment, PullRequest, State, outdated

RIGHTS = {
    "/notes": "the scope `api` (a job token cannot comment)",
    "/statuses/": "the scope `api` and the role Developer",
    "/user": "the scope `api`",
}

_STATES = {"pending": "pending", "success": "success", "failure": "failed"}


class GitLab:
    """One merge request of GitLab."""

    limit = 900_000
    folds = html = True

    def __init__(self, at: PullRequest, token: str, sleep: Callable[[float], object]) -> None:
        self.at = at
        self.project = f"/projects/{quote(at.repo, safe='')}"
        self.http = Http(at.api, {"PRIVATE-TOKEN": token, "User-Agent": "mesh"}, RIGHTS, sleep)

    def me(self) -> str:
        """Return the number of the token's account."""
        number = inner(self.http.get("/user"), "id")
        if not isinstance(number, int):
            raise ForgeError("GitLab does not say whose token this is")
        return str(number)

    def comments(self) -> tuple[Comment, ...]:
        """Return the notes that people and bots wrote."""
        path = f"{self.project}/merge_requests/{self.at.number}/notes?sort=asc&per_page=100"
        return tuple(
            Comment(str(each.get("id")), str(inner(each, "author", "id")), str(each.get("body") or ""))
            for page in self.http.pages(path, next_link)
            for each in rows(page)
            if not each.get("system")
        )

    def approved(self) -> bool:
        """Return whether a reviewer approves the merge request."""
        return bool(
            inner(self.http.get(f"{self.project}/merge_requests/{self.at.number}/approvals"), "approved_by")
        )

    def number_of(self, head: str) -> str:
        """Return the number of the merge request that a commit came with."""
        found = rows(self.http.get(f"{self.project}/repository/commits/{head}/merge_requests"))
        return str(found[0].get("iid") or "") if found else ""

    def create(self, body: str) -> None:
        """Add a note."""
        self.http.send("POST", f"{self.project}/merge_requests/{self.at.number}/notes", {"body": body})

    def edit(self, comment: Comment, body: str) -> None:
        """Replace the text of a note."""
        path = f"{self.project}/merge_requests/{self.at.number}/notes/{comment.id}"
        self.http.send("PUT", path, {"body": body})

    def hide(self, comment: Comment) -> None:
        """Fold an outdated note: GitLab cannot hide one."""
        self.edit(comment, outdated(comment.body))

    def status(self, state: State, text: str, name: str) -> None:
        """Set a commit status."""
        if self.at.head:
            body = {
                "state": _STATES[state],
                "description": text[:255],
                "name": name,
                "target_url": self.at.run,
            }
            sent = {key: value for key, value in body.items() if value}
            self.http.send("POST", f"{self.project}/statuses/{self.at.head}", sent)
