"""The Secret `cacerts` as it is sent, and as it is printed."""

from __future__ import annotations

from datetime import timedelta

from mesh.model import SENSITIVE, Key
from mesh.model.spec import CA, ExistingCA, GenerateCA, Intermediate
from mesh.providers.cert.document import FILES, secret, shown
from mesh.providers.cert.specs import ROOT, IntermediateSpec, RootSpec

KEY = Key("cert", "a", "cacerts")


def spec(ca: CA) -> IntermediateSpec:
    return IntermediateSpec("demo", "a", "istio-system", Intermediate(), ca, None)


def test_the_secret_says_which_mesh_and_which_address_it_is_of() -> None:
    meta = secret(spec(GenerateCA()), KEY, {"a": "b"})["metadata"]
    assert (meta["namespace"], meta["name"]) == ("istio-system", "cacerts")
    assert meta["labels"] == {"meshform.io/mesh": "demo"}
    assert meta["annotations"] == {"meshform.io/address": "cert/a/cacerts"}


def test_every_value_of_a_printed_secret_is_masked() -> None:
    found = shown(spec(GenerateCA()), KEY)
    assert found.body is not None
    assert found.body["data"] == dict.fromkeys(FILES, SENSITIVE)


def test_of_a_root_and_of_an_existing_secret_nothing_is_printed_but_the_reason() -> None:
    root = shown(RootSpec("demo", GenerateCA(), "ecdsa-p256", timedelta(days=1)), ROOT)
    existing = shown(spec(ExistingCA()), KEY)
    assert (root.body, existing.body) == (None, None)
    assert "never sent to a cluster" in root.remarks[0]
    assert existing.remarks == ("Secret istio-system/cacerts is only verified, never written",)
