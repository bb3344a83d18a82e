"""The options of a run, for tests."""

from __future__ import annotations

from pathlib import Path

from mesh.cli.run_request import RunRequest

APPLY = RunRequest(Path("mesh.yaml"), (), yes=False, timeout=5, parallelism=2, digest="", as_json=False)
