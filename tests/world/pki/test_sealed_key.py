"""Keys under a passphrase: a slow derivation, read by others too."""

from __future__ import annotations

import os
import re
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from mesh.errors import MeshError
from mesh.world.pki.certificates import key_pem, load_key
from mesh.world.pki.root_files import RootFiles, make_root, strengthen
from mesh.world.pki.sealed_key import is_weak

KEY = ec.generate_private_key(ec.SECP384R1())
OLD = KEY.private_bytes(
    serialization.Encoding.PEM,
    serialization.PrivateFormat.PKCS8,
    serialization.BestAvailableEncryption("pässword".encode()),
)
"""As older versions of mesh wrote it: PBKDF2 with 2,048 iterations."""


def openssl(*args: str, stdin: bytes = b"") -> str:
    env = {"PATH": os.environ["PATH"], "WORD": "pässword"}
    done = subprocess.run(["openssl", *args], input=stdin, capture_output=True, check=True, env=env)
    return done.stdout.decode()


def test_a_key_is_derived_by_600_000_iterations_and_openssl_reads_it() -> None:
    sealed = key_pem(KEY, "pässword")
    assert load_key(sealed, "pässword").private_numbers() == KEY.private_numbers()
    told = openssl("asn1parse", "-in", "/dev/stdin", stdin=sealed)
    rounds = re.search(r"INTEGER +:([0-9A-F]+)", told)
    assert rounds and int(rounds[1], 16) >= 600_000
    assert "hmacWithSHA256" in told
    assert "aes-256-cbc" in told
    assert "BEGIN PRIVATE KEY" in openssl("pkey", "-in", "/dev/stdin", "-passin", "env:WORD", stdin=sealed)
    with pytest.raises(MeshError, match="the passphrase is wrong"):
        load_key(sealed, "another")


def test_two_keys_under_one_passphrase_have_their_own_salt() -> None:
    assert key_pem(KEY, "a") != key_pem(KEY, "a")


def test_a_weak_derivation_is_told_from_a_strong_one() -> None:
    scrypt = openssl(
        "pkcs8", "-topk8", "-scrypt", "-passout", "env:WORD", "-in", "/dev/stdin", stdin=key_pem(KEY)
    )
    assert is_weak(OLD)
    assert is_weak(b"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n")
    assert not is_weak(key_pem(KEY, "a"))
    assert not is_weak(key_pem(KEY))
    assert not is_weak(scrypt.encode())
    assert not is_weak(b"-----BEGIN ENCRYPTED PRIVATE KEY-----\n!\n-----END ENCRYPTED PRIVATE KEY-----\n")


def test_an_old_key_is_read_and_written_again_with_the_new_derivation(tmp_path: Path) -> None:
    files = RootFiles(tmp_path / "root.crt", tmp_path / "root.key")
    files.key.write_bytes(OLD)
    files.key.chmod(0o600)
    strengthen(files, "")
    assert files.key.read_bytes() == OLD
    strengthen(files, "pässword")
    assert not is_weak(files.key.read_bytes())
    assert files.key.stat().st_mode & 0o777 == 0o600
    assert load_key(files.key.read_bytes(), "pässword").private_numbers() == KEY.private_numbers()


def test_the_folders_of_a_new_root_are_private(tmp_path: Path) -> None:
    wide = tmp_path / "mesh"
    wide.mkdir(mode=0o755)
    files = RootFiles(wide / "prod" / "root.crt", wide / "prod" / "root.key")
    now = datetime(2026, 1, 1, tzinfo=UTC)
    make_root(files, "prod", algorithm="ecdsa-p256", validity=timedelta(days=9), passphrase="", now=now)
    assert [each.stat().st_mode & 0o777 for each in (wide, wide / "prod")] == [0o700, 0o700]
