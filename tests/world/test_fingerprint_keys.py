"""The keys of fingerprints: stored in each cluster, and derived until they are."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import pytest

from mesh.errors import KubeError
from mesh.world.fingerprint_keys import FingerprintKeys, name_of
from mesh.world.resources import ResourceType

KEY = b"k" * 32
OWN = b"o" * 32


def keys(own: bytes = OWN) -> FingerprintKeys:
    return FingerprintKeys("demo", {"a": "istio-system", "b": "istio-system"}, lambda: own)


def holding(data: Any, uid: str = "uid-a") -> Any:
    """List what a cluster holds: the Secret with this data, unless it is None."""
    secret = {"metadata": {"name": name_of("demo")}, "data": {"key": data}}

    def listed(resource: ResourceType, **_: Any) -> list[Mapping[str, Any]]:
        if resource.plural == "secrets":
            return [] if data is None else [{"metadata": {"name": "other"}}, secret]
        return [{"metadata": {"name": "kube-system", "uid": uid}}]

    return listed


def coded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def test_the_key_that_a_cluster_holds_is_the_key() -> None:
    listed = holding(coded(KEY))
    assert keys().of("a", listed) == keys(b"").of("a", listed) == KEY


def test_until_a_cluster_holds_one_its_key_is_derived_for_it_alone() -> None:
    one = keys().of("a", holding(None))
    assert one == keys().of("a", holding(None)) != keys().of("b", holding(None, uid="uid-b"))
    assert len(one) == 32
    assert OWN not in one
    assert keys(b"").of("a", holding(None)) == b""


@pytest.mark.parametrize("data", [5, "", "not base64!", coded(b"short"), None, ["x"]])
def test_what_is_not_a_key_counts_as_none(data: Any) -> None:
    assert keys().stored("a", holding(data)) == b""


def test_without_rights_or_namespace_there_is_no_key() -> None:
    def refused(*_: Any, **__: Any) -> list[Mapping[str, Any]]:
        raise KubeError("forbidden")

    assert keys().of("a", refused) == b""
    assert keys().of("unknown", holding(coded(KEY))) == b""
    assert FingerprintKeys().of("a", holding(coded(KEY))) == b""


def test_the_secret_holds_what_is_read_from_it() -> None:
    body = keys().secret("a", KEY, {"x": "y"})
    assert (body["metadata"]["namespace"], body["metadata"]["labels"]) == ("istio-system", {"x": "y"})
    assert keys().stored("a", lambda *_, **__: [body]) == KEY
