"""Text in one line that a terminal can print: control and invisible characters are escaped."""

from __future__ import annotations

import re

_BLANK = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")


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
