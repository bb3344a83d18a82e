"""A plan in the format that the user chose."""

from __future__ import annotations

import json

import pytest

from mesh.cli.print_plan import FORMATS, printed
from tests.cli.views.plans import FULL


def test_each_format_is_another_text() -> None:
    texts = {how: printed(FULL, how) for how in FORMATS}
    assert len(set(texts.values())) == len(FORMATS)
    assert json.loads(texts["json"])["digest"] == FULL.digest
    assert "```diff" in texts["markdown"]
    assert "Plan: " in texts["text"]
    assert texts["html"].startswith("<!doctype html>")


def test_colour_and_width_of_the_text_follow_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "200")
    wide = printed(FULL, "text")
    assert "\x1b[" not in wide
    monkeypatch.setenv("COLUMNS", "50")
    assert len(printed(FULL, "text").splitlines()) > len(wide.splitlines())
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[32m+" in printed(FULL, "text")
    assert "\x1b[" not in printed(FULL, "json")
