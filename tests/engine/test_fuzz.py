"""A few thousand mutated inputs; `python -m tests.support.fuzz --count 100000` tries as many as one likes."""

from __future__ import annotations

from pathlib import Path

from tests.support.fuzz.run import fuzz


def test_no_mutated_input_ends_in_a_traceback_or_touches_another_cluster(tmp_path: Path) -> None:
    report = fuzz(tmp_path, 1_500, seed=20)
    assert report.broken == [], str(report)
    assert report.tried.total() == 1_500
    assert len(report.refused) > 8
