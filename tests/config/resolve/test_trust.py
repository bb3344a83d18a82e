"""The root of trust has one of four CAs, and intermediates are renewed in time."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from mesh.model.spec import CommandCA, ExistingCA, FilesCA, GenerateCA
from tests.config.decoding import ROOT, mesh


def test_authorities_are_of_four_kinds(tmp_path: Path) -> None:
    (tmp_path / "root.pem").write_text("")
    assert mesh().root.ca == GenerateCA()
    generated = mesh(
        "rootOfTrust: {ca: {generate: {keyFile: keys/root.key, validity: 730d, key: rsa-4096}}}"
    ).root
    assert generated.ca == GenerateCA("keys/root.key")
    assert (generated.root_validity, generated.root_key) == (timedelta(days=730), "rsa-4096")
    files = mesh(f"rootOfTrust: {{ca: {{files: {{cert: '{tmp_path}/root.pem', key: none.key}}}}}}").root.ca
    assert files == FilesCA(f"{tmp_path}/root.pem", "none.key")
    assert mesh("rootOfTrust: {ca: {command: [vault-sign, ./x]}}").root.ca == CommandCA(("vault-sign", "./x"))
    assert mesh("rootOfTrust: {ca: {command: [./sign]}}").root.ca == CommandCA((str(ROOT / "sign"),))
    assert mesh("rootOfTrust: {ca: {existing: true}}").root.ca == ExistingCA()


def test_renewal_begins_in_the_last_quarter_of_a_short_life() -> None:
    assert mesh().root.intermediate.renew_before == timedelta(days=90)
    short = mesh("rootOfTrust: {intermediate: {validity: 40d}}").root.intermediate
    assert short.renew_before == timedelta(days=10)
