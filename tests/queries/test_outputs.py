"""What scripts get, from values alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from mesh.cli.views.outputs import outputs_text
from mesh.config.decode import load_mesh
from mesh.model import Key, Live, Unread
from mesh.queries.outputs import Outputs, RootOutput, names, outputs, pick, root_of, shared_root

MESH = load_mesh(Path(__file__).resolve().parents[2] / "examples" / "two-clusters" / "mesh.yaml")
GATEWAY = Live({}, "t", outputs={"endpoint": {"type": "IPAddress", "value": "192.0.2.1", "xdsPort": 15012}})
PEM = "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n"
ROOT = RootOutput("sha256:one", PEM.format("root"))
KEY = Key("cert", "-", "root")


def known() -> Outputs:
    return outputs(MESH, {"cluster1": GATEWAY, "cluster2": GATEWAY}, ROOT)


def test_every_value_has_a_name_and_so_has_each_entry() -> None:
    found = known()
    assert found.unknown == {}
    assert list(found.values) == sorted(found.values)
    assert pick(found, "eastwest_addresses.cluster2") == "192.0.2.1"
    assert pick(found, "trust_domains") == {"cluster1": "cluster1.local", "cluster2": "cluster2.local"}
    assert all(pick(found, name) is not None for name in names(found))
    for name in ("networks.nowhere", "mesh.x", "nothing"):
        with pytest.raises(KeyError):
            pick(found, name)


def test_what_is_not_known_says_why() -> None:
    bare = Live({}, "t")
    found = outputs(
        MESH, {"cluster1": Unread("timed out"), "cluster2": bare}, RootOutput(why="it is not made yet")
    )
    assert found.values["eastwest_addresses"] == {"cluster1": None, "cluster2": None}
    assert found.unknown == {
        "eastwest_addresses.cluster1": "timed out",
        "eastwest_addresses.cluster2": "its east-west gateway has no address",
        "root_certificate": "it is not made yet",
        "root_fingerprint": "it is not made yet",
    }
    assert '  "cluster1" = (not known)\n' in outputs_text(found.values)
    assert (
        outputs(MESH, {"cluster1": None}, ROOT).unknown["eastwest_addresses.cluster1"].endswith("is missing")
    )


def test_the_root_is_the_last_certificate_of_the_signers_chain() -> None:
    chain = PEM.format("signer") + PEM.format("root")
    live = Live({}, "t", outputs={"issuer": {"fingerprint": "sha256:one", "certificate": chain}})
    assert root_of(KEY, {KEY: live}) == ROOT
    assert root_of(KEY, {KEY: Unread("damaged")}).why == "damaged"
    assert root_of(KEY, {KEY: None}).why == "it is not made yet"


def test_a_root_that_clusters_do_not_share_is_not_known() -> None:
    other = RootOutput("sha256:two", PEM.format("other"))
    assert shared_root({"a": ROOT, "b": ROOT}) == ROOT
    assert shared_root({"a": ROOT, "b": other}).why == (
        "the clusters have different roots: a sha256:one, b sha256:two"
    )
    assert shared_root({"a": ROOT, "b": RootOutput(why="timed out")}).why == "cluster b: timed out"


def test_the_text_is_terraforms() -> None:
    text = outputs_text({"mesh": "demo", "networks": {"a": "n1"}, "pem": "one\ntwo\n", "none": None})
    assert text == (
        'mesh = "demo"\nnetworks = {\n  "a" = "n1"\n}\npem = <<-EOT\none\ntwo\nEOT\nnone = (not known)\n'
    )
