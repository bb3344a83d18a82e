"""The random word of this user for fingerprints, beside the root key (decision 25)."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path

from mesh.errors import MeshError
from mesh.world.disk.files import create_secret_file, private_folder, read_secret_file


def own_key(mesh: str, env: Mapping[str, str]) -> bytes:
    """Return the word, made at the first call; b"" where it can be neither read nor made."""
    home = Path(env.get("HOME") or Path.home())
    path = Path(env.get("XDG_CONFIG_HOME") or home / ".config") / "mesh" / mesh / "fingerprint.key"
    try:
        if not path.exists():
            _make(path)
        return bytes.fromhex(read_secret_file(path).decode("ascii").strip())
    except (MeshError, OSError, ValueError):
        return b""


def _make(path: Path) -> None:
    private_folder(path.parent.parent, linked=True)
    private_folder(path.parent, linked=True)
    try:
        create_secret_file(path, f"{secrets.token_hex(32)}\n".encode())
    except (MeshError, OSError):
        if not path.exists():  # another process may have made it at the same moment
            raise
