"""A program of the user signs."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from mesh.errors import MeshError
from mesh.world import pki

from .certs import NOW, root

SIGNER = """
import sys, datetime
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from mesh.world import pki
folder = sys.argv[1]
request = x509.load_pem_x509_csr(sys.stdin.buffer.read())
root = open(folder + "/root.crt").read()
authority = pki.load_authority((root,), open(folder + "/root.key", "rb").read())
now = datetime.datetime(2026, 5, 1, tzinfo=datetime.UTC)
life = datetime.timedelta(days=9)
print(pki.issue_intermediate(authority, request.public_key(), "by/command", validity=life, now=now) + root)
"""


def test_a_command_signs_a_request(tmp_path: Path) -> None:
    signer = root()
    (tmp_path / "root.crt").write_text(signer.certificate)
    (tmp_path / "root.key").write_bytes(pki.key_pem(signer.key))
    key = pki.new_key("ecdsa-p256")
    request = pki.request_intermediate(key, "prod/cluster1", now=NOW)
    argv = (sys.executable, "-c", SIGNER, str(tmp_path))
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    own, top = pki.pem_blocks(pki.sign_with_command(argv, request, env=env, folder=tmp_path))
    assert pki.check_bundle(pki.Bundle(own, pki.key_pem(key), own + top, top), NOW) == ()


def test_a_command_that_fails_is_quoted(tmp_path: Path) -> None:
    with pytest.raises(MeshError, match="ended with code 3: no such role"):
        pki.sign_with_command(("sh", "-c", "echo no such role >&2; exit 3"), "", env={}, folder=tmp_path)
    with pytest.raises(MeshError, match="could not be run"):
        pki.sign_with_command(("./none",), "", env={}, folder=tmp_path)
