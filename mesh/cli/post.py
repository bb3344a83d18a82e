"""Keep the one comment of a mesh in a pull request up to date."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mesh.cli.say import say
from mesh.cli.views.outcome import is_complete, outcome_markdown
from mesh.cli.views.sticky import (
    CommentAction,
    Decision,
    Marker,
    decide,
    marker,
    own,
    posted,
    with_outcome,
)
from mesh.errors import MeshError
from mesh.world.forge.http import ForgeError
from mesh.world.forge.model import Forge, Kind, PullRequest, State

MAX_JOB_SUMMARY = 1_000_000
"""GitHub drops the whole summary of a step that is longer than 1024 KiB."""


@dataclass(frozen=True, slots=True)
class Content:
    """What a comment is about: `text` is its Markdown with a first line to replace, `says` its short form."""

    mesh: str
    digest: str
    text: str
    says: str
    is_empty: bool
    failed: bool = False

    def body(self, at: PullRequest, kind: Kind) -> str:
        """Return the comment for one forge."""
        found = Marker(self.mesh, self.digest, at.head)
        commit = f"\nfor commit {at.head[:12]}\n" if at.head else ""
        return posted(self.text + commit, found, html=kind.html, folds=kind.folds)


def post(forge: Forge, at: PullRequest, content: Content) -> None:
    """Post a plan: create, edit or replace the comment of its mesh, and set the status of the commit."""
    body = content.body(at, forge)
    mine = own(forge.comments(), forge.me(), content.mesh)
    decision = decide(mine, body, approved=bool(mine) and forge.approved(), empty=content.is_empty)
    _carry_out(forge, decision, body)
    state: State = "failure" if content.failed else "success"
    _status(forge, state, content.says, content.mesh)
    say(f"comment {decision.action.value}: pull request {at.number or 'of the commit'}", err=True)


def add_outcome(forge: Forge, at: PullRequest, content: Content, summary: Mapping[str, Any] | None) -> None:
    """Add what a run did to the comment of its plan; without a comment, start one."""
    mine = own(forge.comments(), forge.me(), content.mesh)
    text = outcome_markdown(summary, at.run)
    if mine:
        again = bool(summary and summary.get("stopped"))
        body = with_outcome(mine[-1].body, text, html=forge.html, limit=forge.limit, beside=again)
        forge.edit(mine[-1], body)
    else:
        body = with_outcome(content.body(at, forge), text, html=forge.html, limit=forge.limit)
        forge.create(body)
    complete = is_complete(summary)
    says = str((summary or {}).get("@message") or "the run ended without a result")
    _status(forge, "success" if complete else "failure", says, content.mesh)
    say(f"outcome added: {says}", err=True)


def posted_digest(forge: Forge, mesh: str) -> str:
    """Return the digest of the plan that this account posted last, "" if it posted none.

    Raise MeshError if the last plan could not be made, or its comment holds no digest.
    """
    mine = own(forge.comments(), forge.me(), mesh)
    found = marker(mine[-1].body) if mine else None
    if not found:
        say(f"this account has posted no plan of mesh {mesh} in the pull request", err=True)
        return ""
    # An empty digest would mean no check at all.
    if not re.fullmatch(r"sha256:[0-9a-f]{64}", found.digest):
        raise MeshError(
            f"the last comment about mesh {mesh} holds no plan that can be applied",
            hint="plan again, and post that plan",
        )
    return found.digest


def to_job_summary(env: Mapping[str, str], text: str) -> None:
    """Add a text to the summary of a workflow's step, if there is one and the text fits."""
    path = env.get("GITHUB_STEP_SUMMARY", "")
    content = (text.partition("\n")[2] + "\n").encode()
    if not path or len(content) > MAX_JOB_SUMMARY:
        return
    try:
        with Path(path).open("ab") as file:
            file.write(content)
    except OSError as error:
        raise MeshError(f"{path} cannot be written: {error.strerror or error}") from None


def _carry_out(forge: Forge, decision: Decision, body: str) -> None:
    """Write first, hide afterwards: at every moment there is a comment that says what holds."""
    match decision.action:
        case CommentAction.CREATE | CommentAction.REPLACE:
            forge.create(body)
        case CommentAction.EDIT if decision.newest:
            forge.edit(decision.newest, body)
    for each in decision.outdated:
        try:
            forge.hide(each)
        except ForgeError as error:
            say(f"Warning: an outdated comment stays visible: {error.message}", err=True)


def _status(forge: Forge, state: State, text: str, mesh: str) -> None:
    """Set the status; a token that may comment but not set a status is enough for the comment."""
    try:
        forge.status(state, text, f"mesh/{mesh}")
    except ForgeError as error:
        say(f"Warning: no commit status: {error.message}", err=True)
        if error.hint:
            say(f"  {error.hint}", err=True)
