"""Strike secrets out of a text: known ones in every form, and unknown ones by their shape; pure.

A text may break a form over several lines: base64 is wrapped, YAML folds, a diff indents each line. So the
text is searched as it is, and again without its line breaks.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator
from functools import lru_cache

from mesh.model.secret_forms import WORD, forms, is_worth_hiding
from mesh.model.secret_shapes import strike_shapes

STRUCK = "***"

_FOLDS = re.compile(r"(?:\\[rn]|\s)+")
_BREAKS = (
    re.compile(r"\\?\r?\n[ \t]*\\?|(?:\\{1,2}r)?\\{1,2}n[ \t]*"),
    re.compile(r"\\?\r?\n[ \t]*[-+~#|>][ \t]+\\?"),
    _FOLDS,
)
"""What breaks a form apart: a line break, escaped or not, with its indent; the sign of a diff; a fold."""

_EDGE = re.compile(r"[\w-]")


def strike(text: str, secrets: Collection[str] = ()) -> str:
    """Return the text without secrets: these in every form, and what a shape gives away."""
    return strike_shapes(strike_known(text, secrets), STRUCK)


def strike_known(text: str, secrets: Collection[str]) -> str:
    """Return the text without these secrets, in whatever form."""
    known, folded = _needles(frozenset(secrets))
    if not known or not text:
        return text
    spans = list(_spans(text, known, range(len(text) + 1)))
    for breaks in _BREAKS:
        wanted = folded if breaks is _FOLDS else known
        # Most texts hold none; only where one is found it matters which place it has in the original.
        if wanted and any(form in whole for whole in [breaks.sub("", text)] for form in wanted):
            joined, starts, shifts = _joined(text, breaks)
            spans += _spans(joined, wanted, _Places(starts, shifts))
    return _without(text, spans) if spans else text


def holds(text: str, secrets: Collection[str]) -> bool:
    """Return whether a text contains one of these secrets, or one by its shape."""
    return strike(text, secrets) != text


@lru_cache(maxsize=16)
def _needles(secrets: frozenset[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return every form of these secrets, and those that a text has from which a fold took the spaces."""
    worth = [secret for secret in secrets if is_worth_hiding(secret)]
    spaced = [re.sub(r"\s+", "", secret) for secret in worth if re.search(r"\s", secret)]
    return _by_length(worth), _by_length(spaced)


def _by_length(secrets: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({form for secret in secrets for form in forms(secret)}, key=len))


def _spans(text: str, needles: tuple[str, ...], where: range | _Places) -> Iterator[tuple[int, int]]:
    """Yield where a form begins and ends, as places in the original text."""
    for form in needles[: bisect_right(needles, len(text), key=len)]:
        if form not in text:
            continue
        at = text.find(form)
        while at >= 0:
            end = at + len(form)
            if (len(form) >= WORD and not form.isdigit()) or _is_word(text, at, end):
                yield where[at], where[end - 1] + 1
            at = text.find(form, at + 1)


def _is_word(text: str, start: int, end: int) -> bool:
    before, after = text[start - 1 : start] if start else "", text[end : end + 1]
    return not (before and _EDGE.match(before)) and not (after and _EDGE.match(after))


class _Places:
    """The place in a text of each character of the same text without its breaks."""

    def __init__(self, starts: list[int], shifts: list[int]) -> None:
        self._starts, self._shifts = starts, shifts

    def __getitem__(self, at: int) -> int:
        index = bisect_right(self._starts, at)
        return at + (self._shifts[index - 1] if index else 0)


def _joined(text: str, breaks: re.Pattern[str]) -> tuple[str, list[int], list[int]]:
    """Return the text without the breaks, where each was, and by how much the rest has moved."""
    parts, starts, shifts = [], list[int](), list[int]()
    at = moved = length = 0
    for found in breaks.finditer(text):
        parts.append(text[at : found.start()])
        length += found.start() - at
        at = found.end()
        moved += at - found.start()
        starts.append(length)
        shifts.append(moved)
    return "".join([*parts, text[at:]]), starts, shifts


def _without(text: str, spans: list[tuple[int, int]]) -> str:
    parts, at = [], 0
    for start, end in sorted(spans, key=lambda span: (span[0], -span[1])):
        if start >= at:
            parts += [text[at:start], STRUCK]
        at = max(at, end)
    return "".join([*parts, text[at:]])
