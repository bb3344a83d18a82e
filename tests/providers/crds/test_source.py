"""The objects of a bundle, and the order in which they are applied."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from mesh.errors import RefusedError
from mesh.model.spec import GatewayAPI
from mesh.providers.crds.bundle import GROUP, PARTS
from mesh.providers.crds.source import labelled, objects, sealed
from mesh.sdk.managed_fields import MESH_LABEL
from mesh.world import World
from mesh.world.clock import SystemClock

POLICY = {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy"}


def crd(name: str) -> dict[str, Any]:
    api = "apiextensions.k8s.io/v1"
    return {"apiVersion": api, "kind": "CustomResourceDefinition", "metadata": {"name": f"{name}.{GROUP}"}}


def read(folder: Path, *documents: Any, safe: bool = False) -> list[Any]:
    (folder / "bundle.yaml").write_text(yaml.safe_dump_all(documents))
    api = GatewayAPI("v1.4.0", str(folder / "bundle.yaml"), safe_upgrades=safe)
    return objects(api, World({}, {}, SystemClock(), {}, folder))


def test_policies_are_read_on_request_only(tmp_path: Path) -> None:
    policy = {**POLICY, "metadata": {"name": "safe-upgrades"}}
    assert read(tmp_path, crd("gateways"), policy) == [crd("gateways")]
    assert read(tmp_path, crd("gateways"), policy, safe=True) == [crd("gateways"), policy]


def test_a_source_of_something_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="holds no CustomResourceDefinition"):
        read(tmp_path, {**POLICY, "metadata": {"name": "safe-upgrades"}})
    with pytest.raises(RefusedError, match="holds more than CRDs: Namespace"):
        read(tmp_path, crd("gateways"), {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "x"}})


def test_gateways_is_the_last_and_lists_every_crd() -> None:
    policy = {**POLICY, "metadata": {"name": "safe-upgrades"}}
    parts = sealed([crd("gateways"), crd("httproutes"), policy])
    assert [each["metadata"]["name"] for each in parts] == [
        f"httproutes.{GROUP}",
        "safe-upgrades",
        f"gateways.{GROUP}",
    ]
    assert parts[-1]["metadata"]["annotations"] == {PARTS: "gateways,httproutes"}
    assert labelled(parts[0], "demo")["metadata"]["labels"][MESH_LABEL] == "demo"
