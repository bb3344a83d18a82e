"""The root of trust and the intermediates as openssl commands."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from mesh.model import Key, Place, Resource
from mesh.model.spec import CA, CommandCA, ExistingCA, FilesCA, GenerateCA, Intermediate, KeyAlgorithm
from mesh.providers.cert.commands import cert_commands
from mesh.providers.cert.specs import ROOT, CertSpec, IntermediateSpec, RootSpec
from mesh.world import pki
from tests.support.meshes import mesh_of

DAY = timedelta(days=1)
MESH = replace(mesh_of("solo"), file="/meshes/prod/mesh.yaml")
CACERTS = Key("cert", "a", "cacerts")


def root(ca: CA, key: KeyAlgorithm = "ecdsa-p256", days: float = 3650, mesh: str = "demo") -> str:
    return text(ROOT, RootSpec(mesh, ca, key, days * DAY))


def intermediate(ca: CA, key: KeyAlgorithm = "ecdsa-p256", days: float = 365, mesh: str = "demo") -> str:
    profile = Intermediate(validity=days * DAY, key=key)
    return text(CACERTS, IntermediateSpec(mesh, "a", "istio-system", profile, ca, None))


def text(key: Key, spec: CertSpec) -> str:
    return cert_commands(Resource(key, Place("", ""), spec), MESH).create


def test_the_files_of_the_user_start_from_the_folder_of_the_mesh_file() -> None:
    made = root(FilesCA("my ca.crt", "~/keys/it's.key"))
    assert "ca_cert='/meshes/prod/my ca.crt'\n" in made
    assert "ca_key=\"$HOME\"/'keys/it'\"'\"'s.key'\n" in made
    assert "openssl genpkey" not in made


def test_a_generated_root_is_where_mesh_itself_looks_for_it() -> None:
    assert 'ca_key="${XDG_CONFIG_HOME:-$HOME/.config}"/mesh/demo/root.key\n' in root(GenerateCA())
    named = root(GenerateCA("keys/root.key"))
    assert "ca_key=/meshes/prod/keys/root.key\n" in named
    assert "ca_cert=/meshes/prod/keys/root.crt\n" in named


@pytest.mark.parametrize("ca", [CommandCA(("sign",)), ExistingCA()])
def test_what_others_sign_needs_no_root_here(ca: CA) -> None:
    assert root(ca) == ""


@pytest.mark.parametrize(
    ("key", "words", "digest"),
    [
        ("ecdsa-p256", "-algorithm EC -pkeyopt ec_paramgen_curve:P-256", "-sha256"),
        ("ecdsa-p384", "-algorithm EC -pkeyopt ec_paramgen_curve:P-384", "-sha384"),
        ("rsa-4096", "-algorithm RSA -pkeyopt rsa_keygen_bits:4096", "-sha256"),
    ],
)
def test_keys_are_of_the_algorithm_in_the_file(key: KeyAlgorithm, words: str, digest: str) -> None:
    assert words in root(GenerateCA(), key)
    assert f"openssl req -x509 -new {digest} -days 3650 " in root(GenerateCA(), key)
    assert words in intermediate(GenerateCA(), key)


@pytest.mark.parametrize(("days", "printed"), [(30, 30), (1.9, 1), (0.5, 1)])
def test_a_validity_is_whole_days_and_at_least_one(days: float, printed: int) -> None:
    assert f" -days {printed} " in root(GenerateCA(), days=days)
    assert f" -days {printed} " in intermediate(GenerateCA(), days=days)


def test_a_name_cannot_end_a_line_of_the_openssl_configuration_and_fits_into_a_certificate() -> None:
    made = intermediate(GenerateCA(), mesh="x]\n[ca]" + "y" * 60)
    (name,) = [line for line in made.splitlines() if line.startswith("CN = ")]
    assert name == "CN = " + ("x---ca-" + "y" * 60)[:44] + " CA"


def test_an_existing_intermediate_is_only_looked_at() -> None:
    _, *lines = intermediate(ExistingCA()).splitlines()
    assert lines == ["kubectl --context=a --namespace=istio-system get secret cacerts"]


def test_an_existing_secret_is_kept_and_a_new_one_has_the_four_files_that_istiod_reads() -> None:
    made = intermediate(GenerateCA())
    assert (
        "if ! kubectl --context=a --namespace=istio-system get secret cacerts >/dev/null 2>&1; then" in made
    )
    create = next(line for line in made.splitlines() if " create secret generic cacerts " in line)
    files = [word.split("=")[1] for word in create.split() if word.startswith("--from-file=")]
    assert files == ["ca-cert.pem", "ca-key.pem", "cert-chain.pem", "root-cert.pem"]


def test_a_signing_program_runs_in_the_folder_of_the_mesh_file_with_its_words_quoted() -> None:
    made = intermediate(CommandCA(("./sign", "a b")))
    assert '(cd /meshes/prod && ./sign \'a b\') <"$dir/ca.csr" >"$dir/cert-chain.pem"\n' in made
    assert "-CAkey" not in made


KUBECTL = """#!/bin/sh
case "$*" in *get*) exit 1;; esac
cp -r "$work"/a "$work"/sent
"""


@pytest.mark.parametrize("key", ["ecdsa-p256", "ecdsa-p384"])
def test_the_commands_make_a_chain_that_openssl_verifies(key: KeyAlgorithm, tmp_path: Path) -> None:
    kubectl = tmp_path / "kubectl"
    kubectl.write_text(KUBECTL)
    kubectl.chmod(0o700)
    ca = GenerateCA(str(tmp_path / "keys/root.key"))
    script = root(ca, key) + intermediate(ca, key)
    env = {"PATH": f"{tmp_path}:/usr/bin:/bin", "work": str(tmp_path), "MESH_CA_PASSPHRASE": ""}
    made = subprocess.run(["bash", "-euc", script], env=env, check=False, capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    sent = tmp_path / "sent"
    verify = ["openssl", "verify", "-x509_strict", "-CAfile", "root-cert.pem", "ca-cert.pem"]
    done = subprocess.run(verify, cwd=sent, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "ca-cert.pem: OK\n"), done.stderr
    certificates = [pki.describe((sent / name).read_text()) for name in ("root-cert.pem", "ca-cert.pem")]
    assert [each.path_length for each in certificates] == [1, 0]
    assert not (tmp_path / "a").exists()
