"""Whether a certificate and its issuers may sign for clusters."""

from __future__ import annotations

from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from mesh.errors import MeshError
from mesh.world import pki

from .certs import NOW, Odd, odd, root


def test_a_root_may_sign_for_clusters() -> None:
    assert pki.check_authority(root().certificate, NOW) == ()


@pytest.mark.parametrize(
    ("how", "why"),
    [
        (Odd(path_length=None, ca=False), "is not a CA"),
        (Odd(path_length=0), "allows 0 CAs below it, 1 needed"),
        (Odd(path_length=1, end=NOW), "expired"),
        (Odd(path_length=1, begin=NOW + timedelta(days=1)), "not valid before"),
        (Odd(path_length=1, cert_sign=False), "may not sign"),
    ],
)
def test_a_root_that_may_not_sign_is_refused(how: Odd, why: str) -> None:
    pem = odd(how, ec.generate_private_key(ec.SECP256R1()))
    assert any(why in problem for problem in pki.check_authority(pem, NOW))


def test_a_signer_below_the_root_needs_its_issuers_in_the_file() -> None:
    signer, key = root(), ec.generate_private_key(ec.SECP256R1())
    top = odd(Odd("top", path_length=None), key)
    below = odd(Odd("below", path_length=1), pki.new_key("ecdsa-p256"), type(signer)(top, key))
    assert pki.check_authority(below + top, NOW) == ()
    assert "is not a root" in pki.check_authority(below, NOW)[0]
    assert any("not followed by its issuer" in each for each in pki.check_authority(top + below, NOW))


def test_what_is_no_certificate_is_said_to_be_none() -> None:
    assert "no certificate" in pki.check_authority("", NOW)[0]
    with pytest.raises(MeshError, match="no certificate"):
        pki.describe("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
