"""How much of a plan is printed."""

from __future__ import annotations

from enum import Enum


class Detail(Enum):
    """Every step whole, folds of equal steps, or a line for each fold."""

    FULL = "full"
    FOLDED = "folded"
    HEADLINES = "headlines"
