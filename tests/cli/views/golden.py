"""Expected output as files: `UPDATE_GOLDEN=1` writes what is printed now."""

from __future__ import annotations

import os
from pathlib import Path

FOLDER = Path(__file__).parent / "golden"


def expect(name: str, text: str, folder: Path = FOLDER) -> None:
    """Compare a text with the golden file of that name, or write it when asked to."""
    path = folder / name
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text
