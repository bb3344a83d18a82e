"""What GitHub, Gitea and Forgejo have in common: comments as those of an issue, and commit statuses."""

from __future__ import annotations

from mesh.world.forge.http import Http
from mesh.world.forge.model import Comment, PullRequest, State


class IssueApi:
    """One pull request, which is an issue as well."""

    limit = 60_000
    folds = html = True
    at: PullRequest
    http: Http

    def create(self, body: str) -> None:
        """Add a comment."""
        self.http.send("POST", f"/repos/{self.at.repo}/issues/{self.at.number}/comments", {"body": body})

    def edit(self, comment: Comment, body: str) -> None:
        """Replace the text of a comment."""
        self.http.send("PATCH", f"/repos/{self.at.repo}/issues/comments/{comment.id}", {"body": body})

    def status(self, state: State, text: str, name: str) -> None:
        """Set a commit status."""
        if self.at.head:
            body = {"state": state, "description": text[:140], "context": name, "target_url": self.at.run}
            sent = {key: value for key, value in body.items() if value}
            self.http.send("POST", f"/repos/{self.at.repo}/statuses/{self.at.head}", sent)
