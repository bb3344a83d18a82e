"""The signers that a mesh file offers, each with the same result."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from mesh.errors import MeshError
from mesh.model.spec import CommandCA, FilesCA, GenerateCA, Intermediate
from mesh.world import pki

from .certs import NOW, root


@pytest.fixture
def context(tmp_path: Path) -> pki.SigningContext:
    return pki.SigningContext({"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}, tmp_path, NOW)


def files(folder: Path) -> tuple[FilesCA, str]:
    signer = root()
    (folder / "ca.crt").write_text(signer.certificate)
    (folder / "ca.key").write_bytes(pki.key_pem(signer.key))
    (folder / "ca.key").chmod(0o600)
    return FilesCA("ca.crt", "ca.key"), signer.certificate


def test_each_signer_has_its_files(tmp_path: Path, context: pki.SigningContext) -> None:
    assert pki.root_files("demo", FilesCA("~/a", "b"), context) == pki.RootFiles(
        tmp_path / "a", tmp_path / "b"
    )
    assert pki.root_files("demo", GenerateCA("k.key"), context).certificate == tmp_path / "k.crt"
    assert pki.root_files("demo", GenerateCA(), context).key.parts[-3:] == ("mesh", "demo", "root.key")


def test_files_sign_a_bundle_that_istiod_can_use(tmp_path: Path, context: pki.SigningContext) -> None:
    ca, certificate = files(tmp_path)
    pki.can_sign("demo", ca, certificate, context)
    made = pki.sign_bundle("demo", "one", ca, certificate, Intermediate(), context)
    assert pki.check_bundle(made, NOW) == ()
    assert made.root_cert == certificate


def test_a_signer_without_its_key_cannot_sign(tmp_path: Path, context: pki.SigningContext) -> None:
    ca, certificate = files(tmp_path)
    (tmp_path / "ca.key").unlink()
    with pytest.raises(MeshError, match="needs the root key sha256:"):
        pki.can_sign("demo", ca, certificate, context)


def test_a_command_that_is_missing_or_prints_no_root_is_told(
    tmp_path: Path, context: pki.SigningContext
) -> None:
    with pytest.raises(MeshError, match="the signing command none does not exist"):
        pki.can_sign("demo", CommandCA(("none",)), "", context)
    prints = CommandCA((sys.executable, "-c", "print('nothing')"))
    pki.can_sign("demo", prints, "", context)
    with pytest.raises(MeshError, match="did not print a chain that ends in a root"):
        pki.ask_command(prints, pki.new_key("ecdsa-p256"), "demo/one", context)


def test_another_root_than_the_meshs_is_refused(tmp_path: Path, context: pki.SigningContext) -> None:
    signer = root()
    (tmp_path / "chain").write_text(signer.certificate * 2)
    shows = CommandCA(("cat", str(tmp_path / "chain")))
    with pytest.raises(MeshError, match="the signer's root is"):
        pki.sign_bundle("demo", "one", shows, root().certificate, Intermediate(), context)
