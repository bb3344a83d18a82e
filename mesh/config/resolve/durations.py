"""Parse durations such as 365d, 12h or 1d12h30m."""

from __future__ import annotations

import re
from datetime import timedelta

from mesh.config.source.document import Trail
from mesh.config.source.problems import Problems

LONGEST = timedelta(days=36_500)


def duration(text: str, trail: Trail, report: Problems) -> timedelta:
    """Return the timedelta of a duration that matches the pattern; report one of more than 100 years."""
    unit = {"d": "days", "h": "hours", "m": "minutes"}
    total = timedelta(**{unit[letter]: int(number) for number, letter in re.findall(r"(\d+)([dhm])", text)})
    if total > LONGEST:
        report.wrong(trail, f"{text} is longer than 100 years", "make it shorter")
    return min(total, LONGEST)
