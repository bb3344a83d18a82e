"""Durations are days, hours and minutes."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.config.decoding import mesh


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("365d", timedelta(days=365)),
        ("72h", timedelta(hours=72)),
        ("2d12h30m", timedelta(days=2, hours=12, minutes=30)),
    ],
)
def test_durations_are_days_hours_and_minutes(written: str, meant: timedelta) -> None:
    assert mesh(f"rootOfTrust: {{intermediate: {{validity: {written}}}}}").root.intermediate.validity == meant
