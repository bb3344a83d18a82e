"""The forms in which a known secret turns up in a text: escaped, quoted, encoded, in base64; pure."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterator
from functools import lru_cache
from urllib.parse import quote, quote_plus

SHORTEST = 4
"""Characters of a secret that is struck out of texts; a shorter one would blind half of what is printed."""

WORD = 8
"""A shorter form is struck out only where it is a word by itself."""

_COMMON = frozenset(
    {
        *("true", "false", "null", "none", "default", "basic", "bearer", "opaque", "enabled", "disabled"),
        *("create", "update", "patch", "watch", "list", "delete", "always", "never", "auto", "value"),
        *("name", "data", "text", "token", "secret", "password", "username", "string", "localhost"),
    }
)
_LINE = 12
"""Characters of one line of a secret of several lines that is struck out wherever it stands alone."""
_BOUNDARY = re.compile(r"^\W*-----(?:BEGIN|END) [A-Z0-9 ]+-----\W*$")
_SMALLEST_CORE = 8


def is_worth_hiding(secret: str) -> bool:
    """Return whether a secret can be struck out of texts without blinding them."""
    return len(secret) >= SHORTEST and secret.lower() not in _COMMON and bool(secret.strip())


@lru_cache(maxsize=1024)
def forms(secret: str) -> tuple[str, ...]:
    """Return every literal text that stands for a secret, the longest first."""
    whole = {secret, secret.strip(), *_lines(secret)}
    found = {form for text in whole for form in (*_spelled(text), *_hex(text), *_base64(text))}
    return tuple(
        sorted((form for form in found if len(form) >= SHORTEST), key=lambda form: (-len(form), form))
    )


def _lines(secret: str) -> Iterator[str]:
    for line in secret.splitlines():
        if len(line.strip()) >= _LINE and not _BOUNDARY.match(line):
            yield line.strip()


def _spelled(text: str) -> Iterator[str]:
    """Yield a text as it is, and as the formats that mesh and its children print would escape it."""
    once = {text, *_escaped(text)}
    yield from once
    yield from {each for form in once for each in _escaped(form)}
    for safe in ("", "/"):
        url = quote(text, safe=safe, errors="surrogatepass")
        yield from (url, re.sub(r"%[0-9A-F]{2}", lambda found: found[0].lower(), url))
    plus = quote_plus(text, errors="surrogatepass")
    yield from (plus, re.sub(r"%[0-9A-F]{2}", lambda found: found[0].lower(), plus))


def _escaped(text: str) -> Iterator[str]:
    for form in (json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]):
        yield form
        yield re.sub(r"[<>&]", lambda found: f"\\u{ord(found[0]):04x}", form)  # as Go writes JSON
    yield from (repr(text)[1:-1], text.replace("'", "''"), text.replace("'", "'\"'\"'"), html.escape(text))
    yield from (_yaml(text, upper=True), _yaml(text, upper=False))


def _yaml(text: str, *, upper: bool) -> str:
    """Return a text in YAML's double quotes, without them."""

    def code(found: re.Match[str]) -> str:
        number = ord(found[0])
        size = ("x", 2) if number <= 0xFF else ("u", 4) if number <= 0xFFFF else ("U", 8)
        return f"\\{size[0]}{number:0{size[1]}{'X' if upper else 'x'}}"

    for char, short in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\t", "\\t"), ("\r", "\\r")):
        text = text.replace(char, short)
    return re.sub(r"[^ -~]", code, text)


def _hex(secret: str) -> Iterator[str]:
    data = secret.encode("utf-8", "surrogatepass")
    if len(data) >= SHORTEST:
        yield from (data.hex(), data.hex().upper(), data.hex(":"), data.hex(":").upper())


def _base64(secret: str) -> Iterator[str]:
    """Yield the base64 of a text: alone, and the part that is the same wherever it stands in other data."""
    data = secret.encode("utf-8", "surrogatepass")
    alone = base64.b64encode(data).decode()
    for text in (alone, alone.rstrip("=")):
        yield from (text, _url(text))
    for offset in range(3):
        text = base64.b64encode(bytes(offset) + data).decode().rstrip("=")
        core = text[(0, 2, 3)[offset] : len(text) - (1 if (offset + len(data)) % 3 else 0)]
        if len(core) >= _SMALLEST_CORE:
            yield from (core, _url(core))


def _url(text: str) -> str:
    return text.translate({ord("+"): "-", ord("/"): "_"})
