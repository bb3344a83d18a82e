"""Plain tables: aligned by display width, without borders, easy to parse with awk."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence

from mesh.cli.views.escape import terminal

GAP = "  "


def table(headers: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return the rows under upper-case headers; an empty cell is `-`, and the text ends with a newline.

    Raise ValueError for a row that does not have one cell per header.
    """
    head = [terminal(header).upper() for header in headers]
    body = [[terminal(str(cell)) or "-" for cell in row] for row in rows]
    for row in body:
        if len(row) != len(head):
            raise ValueError(f"a row of {len(row)} cells under {len(head)} headers: {row}")
    widths = [max(map(cells, column)) for column in zip(head, *body, strict=True)]
    return "".join(_line(row, widths) for row in [head, *body])


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    return GAP.join(pad(cell, width) for cell, width in zip(row, widths, strict=True)).rstrip() + "\n"


def pad(text: str, width: int) -> str:
    """Return the text, padded with spaces to `width` columns."""
    return text + " " * (width - cells(text))


def cells(text: str) -> int:
    """Return the number of terminal columns that a text takes."""
    if text.isascii():
        return len(text)
    return sum(_columns(char) for char in text)


def _columns(char: str) -> int:
    if unicodedata.combining(char) or unicodedata.category(char) in {"Mn", "Me"}:
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
