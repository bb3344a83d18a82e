"""Escape text from clusters and files, so that it is safe to print.

Control characters move the cursor, bidirectional and zero-width characters disguise text
(CVE-2021-25743), Markdown and HTML turn data into links, mentions and layout. Escaped characters
stay visible: nothing is removed silently.
"""

from __future__ import annotations

import re

JOINER = "\u200d"
"""Zero-width joiner: GitHub and GitLab recognize no mention, reference or link across it."""

_BLANK = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")
_PUNCTUATION = re.compile(r"[!-+:-@\[-`{-~]")
_LIVE = re.compile(r"(?<=[@#])|(?<=:)(?=\S)|(?i:(?<=\bwww)(?=\.)|(?<=\bgh)(?=-))")
_MENTION = re.compile(r"(?<!\w)([@#])(?=\w)")
_LONG_FENCE = re.compile(r"[`~]{9,}")


def terminal(text: str) -> str:
    """Return the text in one line, without characters that a terminal interprets or cannot show.

    Every character that Unicode classifies as not printable (control, format, surrogate, separator)
    or that is invisible becomes `\\n`, `\\x1b` or `\\u202e`.
    """
    if text.isprintable() and not _BLANK.search(text):
        return text
    return "".join(char if _visible(char) else _escaped(char) for char in text)


def _visible(char: str) -> bool:
    return char.isprintable() and not _BLANK.match(char)


def _escaped(char: str) -> str:
    short = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(char)
    if short:
        return short
    code = ord(char)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


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
