"""The Secret `cacerts`, from and to a bundle."""

from __future__ import annotations

import base64
from datetime import timedelta

import pytest

from mesh.world import pki

from .certs import YEAR, bundle, root


def test_a_bundle_comes_back_from_its_secret() -> None:
    made = bundle(root())
    data = pki.data_from(made)
    assert set(data) == {"ca-cert.pem", "ca-key.pem", "cert-chain.pem", "root-cert.pem"}
    assert pki.bundle_from(data) == made


def test_the_layout_of_cert_manager_is_read_too() -> None:
    made = bundle(root())
    texts = {"tls.crt": made.cert_chain, "tls.key": made.ca_key.decode(), "ca.crt": made.root_cert}
    data = {name: base64.b64encode(text.encode()).decode() for name, text in texts.items()}
    assert pki.bundle_from(data) == made


def test_damaged_data_is_an_empty_bundle_and_not_a_crash() -> None:
    assert pki.bundle_from({"ca-cert.pem": "%%%"}).ca_cert == ""
    assert pki.bundle_from({}) == pki.Bundle("", b"", "", "")


def test_the_lifetime_leaves_the_backdating_out() -> None:
    assert pki.lifetime(pki.describe(bundle(root(), validity=YEAR / 2).ca_cert)) == YEAR / 2


@pytest.mark.parametrize(("hours", "text"), [(48, "2d"), (36, "36h"), (0.5, "1800s")])
def test_a_duration_is_written_as_people_write_it(hours: float, text: str) -> None:
    assert pki.duration(timedelta(hours=hours)) == text
