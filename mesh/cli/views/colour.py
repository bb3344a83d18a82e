"""Colour output; the only module that writes escape sequences."""

from __future__ import annotations

from typing import Literal, Protocol

Style = Literal["bold", "red", "green", "yellow", "cyan", "dim"]

_CODES: dict[Style, int] = {"bold": 1, "dim": 2, "red": 31, "green": 32, "yellow": 33, "cyan": 36}
_SIGNS: dict[str, Style] = {"+": "green", "~": "yellow", "-": "red", "<=": "cyan", ".": "red"}


class Paint(Protocol):
    """Applies styles to text."""

    def __call__(self, text: str, style: Style) -> str:
        """Return the text in a style."""

    def sign(self, sign: str) -> str:
        """Return an action's symbol in its colour."""


class _Plain:
    def __call__(self, text: str, style: Style) -> str:  # noqa: ARG002  # that is the point
        return text

    def sign(self, sign: str) -> str:
        return sign


class _Coloured:
    def __call__(self, text: str, style: Style) -> str:
        return f"\x1b[{_CODES[style]}m{text}\x1b[0m" if text else text

    def sign(self, sign: str) -> str:
        if sign == "-/+":
            return f"{self.sign('-')}/{self.sign('+')}"
        return self(sign, _SIGNS[sign]) if sign in _SIGNS else sign


def painter(*, colour: bool) -> Paint:
    """Return a painter that adds colour, or one that returns text unchanged."""
    return _Coloured() if colour else _Plain()
