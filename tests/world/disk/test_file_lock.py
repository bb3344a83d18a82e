"""A lock that ends with its process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mesh.errors import LockedError
from mesh.world.disk.file_lock import FileLock

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_the_second_holder_is_told_who_the_first_is(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with FileLock(path).acquire("mesh apply", since=NOW), pytest.raises(LockedError) as caught:
        FileLock(path).acquire("mesh apply", since=NOW)
    assert f"process {os.getpid()}: mesh apply, since 2026-01-02T03:04:05+00:00" in str(caught.value)
    with FileLock(path).acquire("mesh apply", since=NOW):
        pass


HOLD = """
import sys
from datetime import datetime, UTC
from pathlib import Path
from mesh.world.disk.file_lock import FileLock
FileLock(Path(sys.argv[1])).acquire("mesh apply", since=datetime.now(UTC))
print("held", flush=True)
sys.stdin.read()
"""


def test_a_killed_holder_leaves_the_lock_free(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout and child.stdout.readline() == "held\n"
        with pytest.raises(LockedError, match=f"process {child.pid}"):
            FileLock(path).acquire("mesh apply", since=NOW)
        child.kill()
    with FileLock(path).acquire("mesh apply", since=NOW):
        assert json.loads(path.read_text())["pid"] == os.getpid()
