"""Text that acts on nothing that prints, stores or runs it: the one place where text from outside is escaped.

Terminals act on control characters, readers are misled by invisible and bidirectional ones, CI systems run
commands that stand in a log, and shells expand what is not quoted.
"""

from __future__ import annotations

import json
import re
import shlex
from typing import Any

_BLANK = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")

_COMMAND = re.compile(
    r"(?P<github>(?<!\w):(?=:[A-Za-z][\w-]*(?:\s[^\n]*?)?::))"
    r"|(?<=#)(?P<azure>#)(?=\w*\[)"
    r"|(?:(?<=section)|(?<=travis))(?P<fold>_)(?=(?:start|end|fold|time):)"
)
"""The character that makes a command of a CI system of what is around it.

GitHub acts on `::name …::` at the start of a line, Azure on `##vso[` and `##[`, GitHub on `##[` and TeamCity
on `##teamcity[` anywhere in it, GitLab on `section_start:`, Travis on `travis_fold:`.
"""


_USER = re.compile(r"(?<=://)(?!\*\*\*@)[^/\s@\"'<>\\]+@")


def without_password(text: str) -> str:
    """Return the text with `***` in place of the user and password of each URL."""
    return _USER.sub("***@", text) if "://" in text else text


def terminal(text: str) -> str:
    """Return the text in one line, without characters that a terminal interprets or cannot show.

    Every character that Unicode classifies as not printable (control, format, surrogate, separator)
    or that is invisible becomes `\\n`, `\\x1b` or `\\u202e`; one character of each command of a CI system,
    `\\x3a`. The user and password of a URL are struck out.
    """
    text = without_password(text)
    if text.isprintable() and not _BLANK.search(text):
        return broken(text)
    return broken("".join(char if _visible(char) else escaped(char) for char in text))


def broken(text: str, form: str = "\\x{:02x}") -> str:
    """Return the text with one character of each command of a CI system escaped."""
    return _COMMAND.sub(lambda found: form.format(ord(found[0])), text)


def acts(text: str) -> bool:
    """Whether the text contains a command of a CI system."""
    return _COMMAND.search(text) is not None


def json_text(data: Any, *, indent: int | None = None, sort_keys: bool = False) -> str:
    """Return JSON as ASCII text that acts on no terminal and in no log; a JSON reader reads the same data."""
    text = json.dumps(data, indent=indent, sort_keys=sort_keys)
    return broken(without_password(text).replace("\x7f", "\\u007f"), "\\u{:04x}")


def quoted(word: str, *, spelled: str = "") -> str:
    """Return a word for a shell (bash, zsh, ksh) that is safe to paste: quoted, and printable.

    A word with characters that act on a terminal or a log, or with one of `spelled`, is written as `$'…'`,
    with escapes for them.
    """
    if terminal(word) == word and not set(spelled) & set(word):
        return shlex.quote(word)
    safe = (char if char.isalnum() and char.isascii() else _bytes(char) for char in word)
    return f"$'{''.join(safe)}'"


def _bytes(char: str) -> str:
    if char in " -./=@,+%_":
        return char
    return "".join(f"\\x{byte:02x}" for byte in char.encode("utf-8", "surrogatepass"))


def _visible(char: str) -> bool:
    return char.isprintable() and not _BLANK.match(char)


def escaped(char: str) -> str:
    """Return a character as an escape, as Python and YAML write it."""
    short = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(char)
    if short:
        return short
    code = ord(char)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
