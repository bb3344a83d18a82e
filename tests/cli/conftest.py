"""A folder of its own, without a kubeconfig or variables of mesh, for the tests that ask for it."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty working folder; HOME is its parent."""
    folder = tmp_path / "My Mesh"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("KUBECONFIG", raising=False)
    for name in ("MESH_FILE", "MESH_CHART_SOURCE", "MESH_GATEWAY_API_SOURCE"):
        monkeypatch.delenv(name, raising=False)
    return folder
