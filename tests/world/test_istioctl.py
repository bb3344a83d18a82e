"""The istioctl on PATH."""

from __future__ import annotations

from pathlib import Path

import pytest

from mesh.errors import MeshError
from mesh.world import istioctl


def test_the_version_is_what_the_istioctl_on_path_says(tmp_path: Path) -> None:
    program = tmp_path / "istioctl"
    env = {"PATH": str(tmp_path)}
    assert istioctl.version(env) == ""
    program.write_text('#!/bin/sh\necho \'{"clientVersion": {"version": "1.30.2-solo"}}\'\n')
    program.chmod(0o755)
    assert istioctl.version(env) == "1.30.2-solo"
    program.write_text("#!/bin/sh\necho no >&2\nexit 1\n")
    with pytest.raises(MeshError, match="prints no version"):
        istioctl.version(env)
