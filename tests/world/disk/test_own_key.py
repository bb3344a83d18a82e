"""The random word of a user for fingerprints."""

from __future__ import annotations

import stat
from pathlib import Path

from mesh.world.disk.own_key import own_key


def test_the_word_is_made_once_and_private(tmp_path: Path) -> None:
    env = {"HOME": str(tmp_path)}
    one = own_key("demo", env)
    path = tmp_path / ".config" / "mesh" / "demo" / "fingerprint.key"
    assert len(one) == 32
    assert own_key("demo", env) == one != own_key("prod", env)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_word_that_others_can_read_or_that_is_damaged_is_none(tmp_path: Path) -> None:
    env = {"XDG_CONFIG_HOME": str(tmp_path)}
    own_key("demo", env)
    path = tmp_path / "mesh" / "demo" / "fingerprint.key"
    path.chmod(0o644)
    assert own_key("demo", env) == b""
    path.chmod(0o600)
    path.write_text("not hex")
    assert own_key("demo", env) == b""


def test_where_no_word_can_be_made_there_is_none(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert own_key("demo", {"HOME": str(tmp_path / "file")}) == b""
