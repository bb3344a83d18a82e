"""Tests of the mesh file run in the folder of the repository, as paths in it are relative."""

from __future__ import annotations

import pytest

from tests.config.decoding import ROOT


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
