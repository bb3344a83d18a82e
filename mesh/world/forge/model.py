"""What every forge has: comments of a pull request, approvals, and the status of a commit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

State = Literal["pending", "success", "failure"]


@dataclass(frozen=True, slots=True)
class PullRequest:
    """One pull request of one forge.

    `api` is the address of the forge's API without a slash at the end, `repo` what the forge calls the
    repository (`owner/name`, or a number), `head` the commit that was planned ("": unknown), `run` the page
    of the pipeline's run ("": unknown).
    """

    forge: str
    api: str
    repo: str
    number: str
    head: str = ""
    run: str = ""


@dataclass(frozen=True, slots=True)
class Comment:
    """One comment: `author` is the stable id of its author; `handle` is what the forge needs to hide it."""

    id: str
    author: str
    body: str
    handle: str = ""


class Kind(Protocol):
    """What differs between forges: `limit` is the greatest length of a comment in bytes, `folds` says whether
    `<details>` works, `html` whether an HTML comment is invisible.
    """

    limit: int
    folds: bool
    html: bool


class Forge(Kind, Protocol):
    """The requests that mesh makes of a forge; each raises ForgeError."""

    def me(self) -> str:
        """Return the id of the account that the token belongs to."""
        ...

    def comments(self) -> tuple[Comment, ...]:
        """Return the comments of the pull request, oldest first."""
        ...

    def approved(self) -> bool:
        """Return whether a reviewer approves the pull request now."""
        ...

    def number_of(self, head: str) -> str:
        """Return the number of the pull request that a commit came with, "" if there is none."""
        ...

    def create(self, body: str) -> None:
        """Add a comment."""
        ...

    def edit(self, comment: Comment, body: str) -> None:
        """Replace the text of a comment, which sends no notification."""
        ...

    def hide(self, comment: Comment) -> None:
        """Hide an outdated comment as far as the forge can."""
        ...

    def status(self, state: State, text: str, name: str) -> None:
        """Set the status `name` of the head commit; nothing if the head is unknown."""
        ...


def outdated(body: str) -> str:
    """Return the text of a comment that a forge cannot hide, folded under one line.

    The first line, by which a program finds a comment, is left out: the comment is no longer the one to edit.
    """
    rest = body.partition("\n")[2]
    return f"<details><summary>Outdated plan</summary>\n\n{rest}\n\n</details>\n"
