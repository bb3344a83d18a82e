"""Certificates and keys as values, PEM in and out."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from mesh.errors import MeshError
from mesh.world import pki

from .certs import root


def test_a_key_comes_back_only_with_its_passphrase() -> None:
    signer = root()
    encrypted = pki.key_pem(signer.key, "open sesame")
    chain = (signer.certificate,)
    assert b"ENCRYPTED" in encrypted
    assert pki.load_authority(chain, encrypted, "open sesame").chain == chain
    for passphrase, why in {"": "has a passphrase", "wrong": "passphrase is wrong"}.items():
        with pytest.raises(MeshError, match=why):
            pki.load_key(encrypted, passphrase)
    with pytest.raises(MeshError, match="has no passphrase"):
        pki.load_key(pki.key_pem(signer.key), "open sesame")


def test_a_key_of_a_kind_that_istiod_does_not_take_is_refused() -> None:
    pem = ed25519.Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    with pytest.raises(MeshError, match="ed25519"):
        pki.load_key(pem)


def test_pem_blocks_keep_their_bytes() -> None:
    one, two = root().certificate, root().certificate
    assert pki.pem_blocks(f"a comment\n{one}\n\n{two.rstrip()}") == (one, two)
