"""Run mesh in a folder with the example of two clusters, both of which refuse every connection."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from mesh.cli.main import run
from tests.cli.offline import EXAMPLE, NOTHING
from tests.cli.test_startup import NOBODY


@dataclass(frozen=True)
class Answer:
    """The exit code of a command, and what it printed."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Unreachable:
    """Runs a command as `mesh` does: errors are printed, and end as exit codes."""

    folder: Path
    capsys: pytest.CaptureFixture[str]

    def __call__(self, *args: str) -> Answer:
        self.capsys.readouterr()
        code = run(list(args))
        return Answer(code, *self.capsys.readouterr())


def prepare(folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Unreachable:
    """Write the mesh file and the kubeconfig, and make the folder the working folder."""
    (folder / "mesh.yaml").write_text(EXAMPLE.read_text())
    (folder / "config").write_text(json.dumps(NOBODY))
    for name in NOTHING:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setenv("KUBECONFIG", str(folder / "config"))
    monkeypatch.setenv("GLOO_MESH_LICENSE_KEY", "a-licence")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder / "home"))
    monkeypatch.chdir(folder)
    return Unreachable(folder, capsys)
