"""The root of trust on disk: its place, its creation, opening it to sign."""

from __future__ import annotations

import stat
import subprocess
from pathlib import Path

import pytest

from mesh.errors import MeshError, RefusedError
from mesh.world import pki
from mesh.world.pki.root_files import config_files, files_beside

from .certs import NOW, YEAR, root


def made(files: pki.RootFiles, passphrase: str = "") -> pki.RootFiles:
    pki.make_root(files, "demo", algorithm="ecdsa-p256", validity=YEAR, passphrase=passphrase, now=NOW)
    return files


def beside(tmp_path: Path) -> pki.RootFiles:
    return files_beside(tmp_path / "safe" / "root.key")


def test_the_default_place_is_below_the_config_folder_of_the_user() -> None:
    assert config_files("demo", {"HOME": "/h"}).key == Path("/h/.config/mesh/demo/root.key")
    assert config_files("demo", {"XDG_CONFIG_HOME": "/x"}).certificate == Path("/x/mesh/demo/root.crt")
    assert files_beside(Path("/k/a.crt")).certificate == Path("/k/a.crt.pem")


def test_a_root_is_made_once_with_a_private_key(tmp_path: Path) -> None:
    files = made(beside(tmp_path))
    before = files.key.read_bytes(), files.certificate.read_bytes()
    made(files)
    assert (files.key.read_bytes(), files.certificate.read_bytes()) == before
    assert stat.S_IMODE(files.key.stat().st_mode) == 0o600


def test_a_key_that_a_crash_left_without_its_certificate_is_used(tmp_path: Path) -> None:
    files = made(beside(tmp_path))
    key = files.key.read_bytes()
    files.certificate.unlink()
    made(files)
    assert files.key.read_bytes() == key
    (certificate,) = pki.read_chain(files.certificate)
    assert pki.open_authority(files, certificate, passphrase="", now=NOW).chain == (certificate,)


def test_a_certificate_without_its_key_is_not_given_another(tmp_path: Path) -> None:
    files = made(beside(tmp_path))
    files.key.unlink()
    with pytest.raises(RefusedError, match="exists and its key"):
        made(files)


def test_a_key_is_not_made_where_git_would_add_it(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    with pytest.raises(RefusedError, match="inside a git work tree"):
        made(beside(tmp_path))
    (tmp_path / ".gitignore").write_text("safe/\n")
    made(beside(tmp_path))


def test_a_key_that_cannot_be_opened_is_told_with_the_next_step(tmp_path: Path) -> None:
    files = made(beside(tmp_path), passphrase="open sesame")
    certificate = files.certificate.read_text()
    with pytest.raises(MeshError, match="the key has a passphrase") as error:
        pki.open_authority(files, certificate, passphrase="", now=NOW)
    assert "MESH_CA_PASSPHRASE" in error.value.hint
    assert pki.check_files(files.certificate, files.key, passphrase="", now=NOW) == ()
    (problem,) = pki.check_files(files.certificate, files.key, passphrase="wrong", now=NOW)
    assert "passphrase is wrong" in problem
    files.key.unlink()
    with pytest.raises(MeshError, match="does not exist"):
        pki.open_authority(files, certificate, passphrase="", now=NOW)


def test_files_of_the_user_are_checked_together(tmp_path: Path) -> None:
    one, other = root(), root()
    (tmp_path / "crt").write_text(one.certificate)
    (tmp_path / "key").write_bytes(pki.key_pem(other.key))
    (tmp_path / "key").chmod(0o600)
    (problem,) = pki.check_files(tmp_path / "crt", tmp_path / "key", passphrase="", now=NOW)
    assert "does not belong" in problem
    assert pki.check_files(tmp_path / "none", tmp_path / "key", passphrase="", now=NOW) == (
        f"{tmp_path / 'none'} does not exist",
    )


def test_an_issuer_is_described_without_its_key(tmp_path: Path) -> None:
    signer = root()
    issuer = pki.issuer_of((signer.certificate,))
    assert issuer["fingerprint"] == pki.describe(signer.certificate).fingerprint
    assert "PRIVATE" not in "".join(issuer.values())
