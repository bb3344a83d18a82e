"""The one comment of a mesh in a pull request: how it is found again, and what is to be done with it.

A hidden first line marks it. A marker proves nothing by itself, since all who may comment can write one:
only comments of the same account count.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum

from mesh.model.bounded_text import SMALL, Unfit, loads
from mesh.model.printable import json_text
from mesh.world.forge.model import Comment

MAX_NAME = 100

_HTML = re.compile(r"<!-- mesh-plan (\{.*\}) -->")
_LINK = re.compile(r"\[//\]: # \(mesh-plan (\{.*\})\)")
_OUTCOME = "<!-- mesh-outcome -->"
_OUTCOME_LINK = "[//]: # (mesh-outcome)"
_AGAIN = "Run again:"


@dataclass(frozen=True, slots=True)
class Marker:
    """What the hidden line says: the mesh, the plan's digest, the commit, and whether parts were left out."""

    mesh: str
    digest: str
    head: str = ""
    truncated: bool = False

    def line(self, *, html: bool) -> str:
        """Return the line: an HTML comment, or a link definition where HTML shows."""
        data = {"mesh": self.mesh[:MAX_NAME], "digest": self.digest[:MAX_NAME]}
        data |= {"head": self.head[:MAX_NAME]} if self.head else {}
        text = json_text({**data, "truncated": self.truncated})
        # What ends the line, or is a mention or reference; a link definition ends at a parenthesis as well.
        acts = "[<>@#&]|-(?=-)" if html else "[<>@#&()]|-(?=-)"
        safe = re.sub(acts, lambda match: f"\\u{ord(match[0]):04x}", text)
        return f"<!-- mesh-plan {safe} -->" if html else f"[//]: # (mesh-plan {safe})"


def marker(body: str) -> Marker | None:
    """Return what the first line of a comment says, None if it is not the comment of a plan."""
    first = body.partition("\n")[0].strip()
    match = _HTML.fullmatch(first) or _LINK.fullmatch(first)
    try:
        data = loads(match[1], SMALL) if match else None
    except Unfit:
        return None
    if not isinstance(data, dict) or not isinstance(data.get("mesh"), str):
        return None
    digest, head = (data.get(name) if isinstance(data.get(name), str) else "" for name in ("digest", "head"))
    return Marker(data["mesh"], digest or "", head or "", data.get("truncated") is True)


class CommentAction(Enum):
    """What is done with the comment of a mesh."""

    NOTHING = "unchanged"
    CREATE = "created"
    EDIT = "edited"
    REPLACE = "replaced"


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do, and the comments that it is about: the newest is edited, the others are hidden."""

    action: CommentAction
    newest: Comment | None = None
    outdated: tuple[Comment, ...] = ()


def own(comments: Iterable[Comment], me: str, mesh: str) -> tuple[Comment, ...]:
    """Return the comments of this account for a mesh, oldest first."""
    return tuple(
        each
        for each in comments
        if each.author == me and (found := marker(each.body)) and found.mesh == mesh[:MAX_NAME]
    )


def decide(mine: tuple[Comment, ...], body: str, *, approved: bool, empty: bool) -> Decision:
    """Return what to do with the comments of this account for a mesh.

    An edit sends no notification. So when the plan changes after an approval, the comment is replaced: who
    approved sees that it is another plan. A plan without changes starts no conversation.
    """
    if not mine:
        return Decision(CommentAction.NOTHING if empty else CommentAction.CREATE)
    *older, newest = mine
    before, now = marker(newest.body), marker(body)
    if newest.body.strip() == body.strip():
        return Decision(CommentAction.NOTHING, newest, tuple(older))
    if approved and before and now and before.digest != now.digest:
        return Decision(CommentAction.REPLACE, newest, mine)
    return Decision(CommentAction.EDIT, newest, tuple(older))


def with_outcome(body: str, outcome: str, *, html: bool, limit: int, beside: bool = False) -> str:
    """Return a comment with the outcome of an apply under its plan, in place of an earlier one.

    With `beside` an earlier outcome stays above it: that of a run which did something is not lost when a
    second run is refused.
    """
    sign = _OUTCOME if html else _OUTCOME_LINK
    plan, _, before = body.partition(f"\n{sign}\n")
    first = before.partition(f"\n{_AGAIN}\n")[0].rstrip("\n")
    text = f"{first}\n\n{_AGAIN}\n{outcome}" if beside and first else outcome
    added = f"\n\n{sign}\n{_cut(text, limit // 2)}"
    room = limit - len(added.encode())
    return _cut(plan.rstrip("\n"), room) + added


def _cut(text: str, room: int) -> str:
    """Return whole lines of a text, as many as fit; a fence or fold that is open then is closed."""
    if len(text.encode()) <= room:
        return text
    note = "\n\n> [!NOTE]\n> The end was removed: the comment would be too long.\n"
    kept: list[str] = []
    size, fence, folds = len(note.encode()) + 64, "", 0
    for line in text.split("\n"):
        size += len(line.encode()) + 1
        # The first line is how the comment is found again.
        if size > room and kept:
            break
        kept.append(line)
        opened = re.match(r"(`{3,}|~{3,})", line)
        if opened:
            fence = "" if fence and line.strip() == fence else fence or opened[1]
        folds += (line.count("<details>") - line.count("</details>")) if not fence else 0
    closing = ([fence] if fence else []) + ["", "</details>"] * max(folds, 0)
    return "\n".join([*kept, *closing]) + note


def posted(body: str, found: Marker, *, html: bool, folds: bool) -> str:
    """Return the text of a plan's comment for one forge: its own first line, and no HTML where HTML shows."""
    head, _, rest = body.partition("\n")
    known = marker(head)
    line = replace(found, truncated=bool(known and known.truncated)).line(html=html)
    return f"{line}\n{rest if folds else _unfolded(rest)}"


def _unfolded(text: str) -> str:
    """Return the text with a bold line for each fold; what is inside a fence stays."""
    lines, fence = [], ""
    for line in text.split("\n"):
        mark = re.match(r"(`{3,}|~{3,})", line)
        if mark and (not fence or line.strip() == fence):
            fence = "" if fence else mark[1]
        fold = None if fence else re.fullmatch(r"<details><summary><b>(.*)</b>(.*)</summary>", line)
        if fold:
            lines.append(f"**{fold[1]}**{fold[2]}")
        elif fence or line != "</details>":
            lines.append(line)
    return "\n".join(lines)
