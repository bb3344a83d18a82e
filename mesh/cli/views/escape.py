"""Escape text from clusters and files, so that it is safe to print.

Control characters move the cursor, bidirectional and zero-width characters disguise text
(CVE-2021-25743), Markdown and HTML turn data into links, mentions and layout. Escaped characters
stay visible: nothing is removed silently.
"""

from __future__ import annotations

import re

from mesh.model.printable import terminal

__all__ = ["fence", "markdown_code", "markdown_inline", "terminal"]

JOINER = "\u200d"
"""Zero-width joiner: GitHub and GitLab recognize no mention, reference or link across it."""

_PUNCTUATION = re.compile(r"[!-+:-@\[-`{-~]")
_LIVE = re.compile(r"(?<=[@#])|(?<=:)(?=\S)|(?i:(?<=\bwww)(?=\.)|(?<=\bgh)(?=-))")
_MENTION = re.compile(r"(?<!\w)([@#])(?=\w)")
_LONG_FENCE = re.compile(r"[`~]{9,}")


def markdown_inline(text: str) -> str:
    """Return the text so that Markdown and HTML show it literally, in a table, a list or a summary.

    Punctuation becomes character references, which CommonMark does not interpret and HTML shows as
    the character. `@`, `#`, addresses and `:emoji:` are split by a zero-width joiner, because GitHub
    recognizes them after it has rendered the references.
    """
    broken = _LIVE.sub(JOINER, terminal(text))
    return _PUNCTUATION.sub(lambda match: f"&#{ord(match[0])};", broken)


def markdown_code(text: str) -> str:
    """Return one line of a fenced code block; `fence` returns a matching fence.

    A run of nine or more fence characters is escaped, so that no text makes the fence grow without
    bound. A mention at the start of a word is split, since the source may be sent by mail.
    """
    spelled = _LONG_FENCE.sub(lambda match: f"\\x{ord(match[0][0]):02x}" * len(match[0]), terminal(text))
    return _MENTION.sub(r"\1" + JOINER, spelled)


def fence(lines: str) -> str:
    """Return a backtick fence that is longer than any run of backticks in the lines."""
    longest = max((len(run) for run in re.findall("`+", lines)), default=0)
    return "`" * max(3, longest + 1)
