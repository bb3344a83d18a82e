"""The files that `make test` leaves out are listed for people, with what stands in for them."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MARK = re.compile(r"^pytestmark = pytest\.mark\.long$", re.MULTILINE)


def test_the_long_tests_are_those_that_the_guide_for_contributors_lists() -> None:
    marked = {path.name for path in (ROOT / "tests").rglob("test_*.py") if MARK.search(path.read_text())}
    rows = re.findall(r"^\| (`tests/[^|]*) \|", (ROOT / "CONTRIBUTING.md").read_text(), re.MULTILINE)
    listed = {Path(name).name for row in rows for name in re.findall(r"`([^`]*\.py)`", row)}
    assert marked == listed
