"""Azure DevOps. Source: the Git API 7.1 for threads, reviewers and statuses of pull requests."""

from __future__ import annotations

from collections.abc import Callable

from mesh.world.forge.http import ForgeError, Http, inner, rows
from mesh.world.forge.model import Comment, PullRequest, State, outdated

RIGHTS = {
    "/threads": "the right to contribute to pull requests",
    "/statuses": "the right to contribute to pull requests",
}

VERSION = "api-version=7.1"
APPROVED = 5
"""The vote `approved with suggestions`; 10 is `approved`."""

_STATES = {"pending": "pending", "success": "succeeded", "failure": "failed"}


class Azure:
    """One pull request of Azure DevOps. `repo` reads `project/repository`; `api` ends at the organisation."""

    limit = 140_000
    folds = html = True

    def __init__(self, at: PullRequest, token: str, sleep: Callable[[float], object]) -> None:
        self.at = at
        project, _, repo = at.repo.partition("/")
        self.request = f"/{project}/_apis/git/repositories/{repo}/pullRequests/{at.number}"
        self.http = Http(at.api, {"Authorization": f"Bearer {token}", "User-Agent": "mesh"}, RIGHTS, sleep)

    def me(self) -> str:
        """Return the id of the token's account."""
        found = inner(self.http.get("/_apis/connectionData"), "authenticatedUser", "id")
        if not isinstance(found, str):
            raise ForgeError("Azure DevOps does not say whose token this is")
        return found

    def comments(self) -> tuple[Comment, ...]:
        """Return the first comment of each thread."""
        found = []
        for thread in rows(inner(self.http.get(f"{self.request}/threads?{VERSION}"), "value")):
            for each in rows(thread.get("comments"))[:1]:
                if not thread.get("isDeleted"):
                    author = str(inner(each, "author", "id"))
                    found.append(
                        Comment(
                            str(each.get("id")), author, str(each.get("content") or ""), str(thread.get("id"))
                        )
                    )
        return tuple(found)

    def approved(self) -> bool:
        """Return whether a reviewer approves."""
        votes = rows(inner(self.http.get(f"{self.request}/reviewers?{VERSION}"), "value"))
        return any(isinstance(each.get("vote"), int) and each["vote"] >= APPROVED for each in votes)

    def number_of(self, head: str) -> str:
        """Return the number of the pull request that was merged as a commit."""
        project, _, repo = self.at.repo.partition("/")
        path = f"/{project}/_apis/git/repositories/{repo}/pullrequestquery?{VERSION}"
        query = {"queries": [{"type": "lastMergeCommit", "items": [head]}]}
        found = rows(inner(self.http.send("POST", path, query).data, "results"))
        requests = rows(found[0].get(head)) if found else []
        return str(requests[0].get("pullRequestId") or "") if requests else ""

    def create(self, body: str) -> None:
        """Start a thread that is already closed: a plan needs no resolution."""
        comment = {"parentCommentId": 0, "content": body, "commentType": "text"}
        self.http.send(
            "POST", f"{self.request}/threads?{VERSION}", {"comments": [comment], "status": "closed"}
        )

    def edit(self, comment: Comment, body: str) -> None:
        """Replace the text of a comment."""
        path = f"{self.request}/threads/{comment.handle}/comments/{comment.id}?{VERSION}"
        self.http.send("PATCH", path, {"content": body})

    def hide(self, comment: Comment) -> None:
        """Fold an outdated comment."""
        self.edit(comment, outdated(comment.body))

    def status(self, state: State, text: str, name: str) -> None:
        """Set a status of the pull request."""
        genre, _, short = name.rpartition("/")
        body = {
            "state": _STATES[state],
            "description": text[:255],
            "context": {"name": short, "genre": genre or "mesh"},
            **({"targetUrl": self.at.run} if self.at.run else {}),
        }
        self.http.send("POST", f"{self.request}/statuses?{VERSION}", body)
