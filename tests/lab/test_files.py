"""What the lab writes: its record, its certificates, its locks."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store

from mesh.errors import LabError
from mesh.lab import components, filelock, paths, pki, record
from mesh.lab.record import Record


def example(tmp_path: Path) -> Record:
    cluster = components.cluster(tmp_path / "cluster1", Path("/tools"), name="cluster1", block=3, port=20300)
    return Record("try", "cluster", 2, "/tools", (cluster,), ())


def test_a_record_reads_as_it_was_written(tmp_path: Path) -> None:
    written = example(tmp_path)
    record.write(tmp_path / "lab.json", written)
    assert record.read(tmp_path / "lab.json") == written


def test_no_record_reads_as_none(tmp_path: Path) -> None:
    assert record.read(tmp_path / "lab.json") is None


def test_a_broken_record_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "lab.json").write_text("{")
    with pytest.raises(LabError, match="cannot be read") as caught:
        record.read(tmp_path / "lab.json")
    assert caught.value.hint


def test_a_record_of_another_format_is_refused(tmp_path: Path) -> None:
    record.write(tmp_path / "lab.json", example(tmp_path))
    data = json.loads((tmp_path / "lab.json").read_text())
    (tmp_path / "lab.json").write_text(json.dumps(data | {"format": 99}))
    with pytest.raises(LabError, match="another version"):
        record.read(tmp_path / "lab.json")


def test_an_unknown_cluster_or_component_names_the_known_ones(tmp_path: Path) -> None:
    known = example(tmp_path)
    with pytest.raises(LabError, match="no cluster cluster9") as caught:
        known.cluster("cluster9")
    assert "cluster1" in caught.value.hint
    with pytest.raises(LabError, match="no component kubelet") as caught:
        known.cluster("cluster1").component("kubelet")
    assert "kwok" in caught.value.hint


def test_every_process_names_its_own_folder(tmp_path: Path) -> None:
    """By this it is told from the processes of any other lab."""
    cluster = example(tmp_path).clusters[0]
    for component in cluster.components:
        assert str(tmp_path / "cluster1") in " ".join(component.argv[1:])
        assert not any(name.lower().endswith("_proxy") for name, _ in component.env)
    assert replace(cluster, port=1).server == "https://127.0.0.1:1"


def test_the_serving_certificate_verifies_for_loopback_and_the_service(tmp_path: Path) -> None:
    pki.write(tmp_path, cluster="cluster1", service_ip="10.64.0.1")
    root = x509.load_pem_x509_certificate((tmp_path / "ca.crt").read_bytes())
    leaf = x509.load_pem_x509_certificate((tmp_path / "server.crt").read_bytes())
    for name in (x509.DNSName("localhost"), x509.DNSName("kubernetes.default.svc")):
        verifier = PolicyBuilder().store(Store([root])).build_server_verifier(name)
        assert verifier.verify(leaf, [])[-1] == root
    addresses = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert {str(one) for one in addresses.get_values_for_type(x509.IPAddress)} == {"127.0.0.1", "10.64.0.1"}


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl as a second opinion")
def test_openssl_accepts_the_client_certificates_too(tmp_path: Path) -> None:
    pki.write(tmp_path, cluster="cluster1", service_ip="10.64.0.1")
    for client in pki.CLIENTS:
        subprocess.run(
            [
                "openssl",
                "verify",
                "-x509_strict",
                "-purpose",
                "sslclient",
                "-CAfile",
                "ca.crt",
                f"{client}.crt",
            ],
            cwd=tmp_path,
            check=True,
            capture_output=True,
            timeout=150,
        )


def test_private_keys_are_for_their_owner_only(tmp_path: Path) -> None:
    pki.write(tmp_path, cluster="cluster1", service_ip="10.64.0.1")
    assert {path.stat().st_mode & 0o777 for path in tmp_path.glob("*.key")} == {0o600}


def test_a_held_lock_is_waited_for_and_then_given_up(tmp_path: Path) -> None:
    waits: list[int] = []
    with (
        filelock.locked(tmp_path / "lock", deadline=1),
        pytest.raises(LabError, match="another command"),
        filelock.locked(tmp_path / "lock", deadline=0.3, waiting=lambda: waits.append(1)),
    ):
        pass
    assert waits


def test_a_lock_whose_file_was_deleted_can_be_taken_again(tmp_path: Path) -> None:
    with filelock.locked(tmp_path / "lock", deadline=1):
        (tmp_path / "lock").unlink()
        with filelock.locked(tmp_path / "lock", deadline=1):
            assert (tmp_path / "lock").exists()


def test_folders_follow_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MESH_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    assert paths.cache_dir() == tmp_path / "cache"
    assert paths.lab_dir("try") == tmp_path / "state" / "meshform" / "labs" / "try"
    monkeypatch.delenv("MESH_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert paths.cache_dir() == Path.home() / ".cache" / "meshform"
