"""Text from outside, parsed within bounds: JSON, base64 and gzip.

The only module that parses JSON, base64 or gzip; `mesh.world.yaml_documents` does the same for YAML, and
`mesh.config.source` for the files that people write. What API servers, clusters and programs say has any
shape and size, so that its bytes, its depth and its number of values are checked before they take memory.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one text may hold: bytes, levels of nesting, and values (alias by alias, in YAML)."""

    size: int = 32 << 20
    depth: int = 100
    nodes: int = 1_000_000


ANSWER = Limits()
"""An answer of an API server, a rendering, a release: far more than a page of 500 objects takes."""

SMALL = Limits(size=4 << 20, nodes=200_000)
"""One document of one object, such as a state, a mesh configuration or an annotation."""


class Unfit(ValueError):  # noqa: N818  # reads as what the text is, like the answers of an API server
    """The text does not fit the limits or its format; the message never quotes it."""


class NotJson(Unfit):
    """The text is something other than JSON, such as a page for people."""


_KEPT = b'[]{},"'
_DROPPED = bytes(set(range(256)) - set(_KEPT))
_ROUND = bytes.maketrans(b"{}", b"[]")
_COMMAS = b","


def loads(text: str | bytes, limits: Limits = ANSWER, counted: Callable[[int], None] | None = None) -> Any:
    """Return the value of a JSON text; raise Unfit.

    `counted` gets about how many values it holds, before they are made.
    """
    # As UTF-8 only: `json.loads` guesses UTF-16 and UTF-32 too, and such a text would pass the counts below.
    try:
        data = text.encode() if isinstance(text, str) else text
        told = text if isinstance(text, str) else text.decode("utf-8-sig")
    except UnicodeError:
        raise NotJson("it is not UTF-8") from None
    count = _counted(data, limits)
    if counted:
        counted(count)
    try:
        value = json.loads(told, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        raise NotJson(
            f"it is not valid JSON: line {error.lineno}, column {error.colno}: {error.msg}"
        ) from None
    except RecursionError:
        raise Unfit(_too_deep(limits)) from None
    except ValueError as error:
        raise Unfit(str(error) if isinstance(error, Unfit) else "a number in it is too long") from None
    if b"\\ud" in data or b"\\uD" in data:
        _refuse_lone_surrogates(value)
    return value


def _counted(data: bytes, limits: Limits) -> int:
    """Return about how many values a text holds, without parsing it; raise Unfit if it is beyond the limits.

    Each pass runs at the speed of memory.
    """
    check_size(data, limits)
    if len(data) <= limits.depth:
        return len(data)
    # What remains are brackets and commas outside strings. An escaped quote must go first, and an escaped
    # backslash before that, or the rest of the text would count as inside out.
    bare = data.replace(b"\\\\", b"").replace(b'\\"', b"") if b"\\" in data else data
    # Two quotes side by side go too: that leaves every other sign inside or outside a string as it was.
    signs = b"".join(bare.translate(None, _DROPPED).replace(b'""', b"").split(b'"')[::2])
    if len(signs) > 2 * limits.nodes:
        raise Unfit(f"it has more than {limits.nodes:,} values")
    count = len(signs)
    brackets = signs.translate(_ROUND, _COMMAS)
    # Each pass removes the innermost pairs, so the number of passes is the depth.
    for _ in range(limits.depth):
        inner = brackets.replace(b"[]", b"")
        if len(inner) == len(brackets):
            break
        brackets = inner
    else:
        if brackets:
            raise Unfit(_too_deep(limits))
    if brackets.count(b"[") > limits.depth:
        raise Unfit(_too_deep(limits))
    return count


def check_size(data: str | bytes, limits: Limits) -> None:
    """Raise Unfit for a text that is too long."""
    if len(data) > limits.size:
        raise Unfit(f"it is larger than {megabytes(limits.size)}")


def megabytes(size: int) -> str:
    """Return a limit as people write it."""
    return f"{size >> 20} MiB" if size >= 1 << 20 else f"{size} bytes"


def _too_deep(limits: Limits) -> str:
    return f"it is nested more than {limits.depth} levels deep"


def _refuse(name: str) -> Any:
    raise Unfit(f"{name} is not a JSON value")


def _refuse_lone_surrogates(value: Any) -> None:
    """Raise Unfit for half a character, which no later step could write, hash or print."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise Unfit("a text in it has half of a surrogate pair") from None


def from_base64(text: str | bytes, limits: Limits = ANSWER) -> bytes:
    """Return what base64 stands for; raise Unfit."""
    check_size(text, Limits(size=limits.size * 2))
    try:
        return base64.b64decode(text)
    except ValueError:
        raise Unfit("it is not base64") from None


def from_base64_url(text: str, limits: Limits = SMALL) -> bytes:
    """Return what unpadded base64 for URLs, as in a token, stands for; raise Unfit."""
    check_size(text, Limits(size=limits.size * 2))
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        raise Unfit("it is not base64") from None


class Unpacker:
    """Unpacks a gzip stream part by part, never to more than `most` bytes."""

    def __init__(self, most: int) -> None:
        self._reader = zlib.decompressobj(wbits=31)
        self._most = most
        self._made = 0

    def add(self, packed: bytes = b"") -> bytes:
        """Return what the next part stands for, `STEP` bytes of it at most; raise Unfit.

        While something is `pending`, there is more of it.
        """
        # A few bytes may stand for a thousand times as many: what is not asked for yet takes no memory.
        try:
            text = self._reader.decompress(self._reader.unconsumed_tail + packed, STEP)
        except zlib.error:
            raise Unfit("it is not valid gzip") from None
        self._made += len(text)
        if self._made > self._most:
            raise Unfit(f"it unpacks to more than {megabytes(self._most)}")
        return text

    @property
    def pending(self) -> bool:
        """Whether more can be had of the parts that were added."""
        return bool(self._reader.unconsumed_tail)

    @property
    def is_whole(self) -> bool:
        """Whether the stream has ended."""
        return self._reader.eof


STEP = 1 << 18
GZIP = b"\x1f\x8b\x08"


def unpacked(packed: bytes, limits: Limits = ANSWER) -> bytes:
    """Return what gzip stands for, or data that is not gzip as it is; raise Unfit."""
    if not packed.startswith(GZIP):
        check_size(packed, limits)
        return packed
    reader = Unpacker(limits.size)
    text = bytearray(reader.add(packed))
    while reader.pending:
        text += reader.add()
    if not reader.is_whole:
        raise Unfit("it is cut off")
    return bytes(text)
