"""A folder of its own, without a kubeconfig or variables of mesh, for the tests that ask for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from mesh.engine.session import Session
from tests.cli.unreachable import Unreachable, prepare
from tests.engine.toy import open_session


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


@pytest.fixture
def unreachable(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Unreachable:
    """Return a function that runs mesh where every cluster refuses the connection."""
    return prepare(tmp_path, capsys, monkeypatch)


@pytest.fixture
def here(tmp_path: Path) -> Session:
    """Return a session with the toys of `tests.engine.toy`."""
    return open_session(tmp_path)
