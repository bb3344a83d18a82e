"""Which rights writes need, from the plan alone: each kind says its own."""

from __future__ import annotations

from typing import Any

import pytest

from mesh.engine.registry import all_kinds
from mesh.istio.addresses import cacerts_key, chart_key, gateway_key, label_key, link_key, peer_key, root_key
from mesh.model import NO_CLUSTER, Action, Key, Place, Step
from mesh.planner.expand import expand
from mesh.queries.access.rights import needed, of_run, unknown, words
from mesh.sdk import ask
from mesh.sdk.capabilities import Permitted
from mesh.sdk.network_gateway import NetworkLocator
from mesh.sdk.rights import Right
from tests.engine.toy import ToyProvider
from tests.support.meshes import MESHES, mesh_of

KINDS = all_kinds()
EDGE, SYSTEM = "istio-eastwest", "istio-system"


def rights_of(key: Key, action: Action, place: Place) -> set[str]:
    found = needed([Step(action, key)], {key: place}, KINDS)
    return {str(right) for right in found.get(key.cluster, ())}


def test_every_kind_says_its_rights() -> None:
    assert all(isinstance(kind, Permitted) for kind in KINDS.values())


@pytest.mark.parametrize("how", MESHES)
def test_every_resource_that_mesh_writes_needs_some_right(how: str) -> None:
    """A kind without rights would be granted nothing, and fail at its first write."""
    for key, resource in expand(mesh_of(how)).items():
        kind: Any = KINDS[key.kind]
        if key.cluster != NO_CLUSTER and not ask.awaited(kind, key):
            for action in (Action.CREATE, Action.UPDATE, Action.REPLACE, Action.DELETE):
                assert ask.rights(kind, action, key, resource.place), (key, action)


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        (Action.CREATE, {"create", "patch"}),
        (Action.UPDATE, {"create", "patch"}),
        (Action.REPLACE, {"create", "patch", "delete"}),
        (Action.DELETE, {"delete"}),
        (Action.READ, set()),
        (Action.FORGET, set()),
    ],
)
def test_an_object_needs_the_verbs_of_its_action(action: Action, expected: set[str]) -> None:
    found = rights_of(link_key("a", "b"), action, Place(EDGE, "istio-remote-peer-b"))
    assert found == {f"{verb} gateways.gateway.networking.k8s.io in {EDGE}" for verb in expected}


def test_a_label_patches_a_namespace_and_deletes_none() -> None:
    for action in (Action.CREATE, Action.UPDATE, Action.DELETE):
        assert rights_of(label_key("a", SYSTEM), action, Place("", SYSTEM)) == {"patch namespaces"}


def test_an_intermediate_is_replaced_as_a_whole() -> None:
    found = rights_of(cacerts_key("a"), Action.UPDATE, Place(SYSTEM, "cacerts"))
    assert found == {f"create secrets in {SYSTEM}", f"update secrets in {SYSTEM}"}


def test_what_belongs_to_no_cluster_needs_no_right() -> None:
    assert needed([Step(Action.CREATE, root_key())], {root_key(): Place("", "demo")}, KINDS) == {}


@pytest.mark.parametrize("pods", [False, True])
def test_only_a_gateway_whose_pods_restart_needs_a_right_on_deployments(pods: bool) -> None:
    place = Place(EDGE, EDGE, NetworkLocator("a", pods=pods))
    found = rights_of(gateway_key("a", EDGE), Action.UPDATE, place)
    assert (f"patch deployments.apps in {EDGE}" in found) is pods


def test_a_release_needs_helms_record_and_may_grant_what_its_roles_grant() -> None:
    found = rights_of(chart_key("a", "base"), Action.CREATE, Place(SYSTEM, "istio-base"))
    assert f"update secrets in {SYSTEM}" in found
    assert "escalate clusterroles.rbac.authorization.k8s.io" in found
    gone = rights_of(chart_key("a", "base"), Action.DELETE, Place(SYSTEM, "istio-base"))
    assert "delete clusterroles.rbac.authorization.k8s.io" in gone
    assert not any(right.startswith(("escalate", "bind")) for right in gone)


def test_what_mesh_only_verifies_needs_no_right_and_is_not_unknown() -> None:
    key = peer_key("a", "b")
    steps, places = [Step(Action.DELETE, key)], {key: Place(EDGE, "istio-remote-peer-b")}
    assert needed(steps, places, KINDS) == {"a": frozenset()}
    assert unknown(steps, places, KINDS) == {}


def test_a_kind_that_says_nothing_is_named_and_not_taken_for_one_without_rights() -> None:
    key, gone = Key("toy", "a", "one"), Key("gone", "b", "one")
    steps, places = (
        [Step(Action.CREATE, key), Step(Action.DELETE, gone)],
        dict.fromkeys((key, gone), Place("", "x")),
    )
    kinds = {**KINDS, "toy": ToyProvider()}
    assert needed(steps, places, kinds) == {"a": frozenset(), "b": frozenset()}
    assert unknown(steps, places, kinds) == {"a": ("toy",), "b": ("gone",)}


def test_a_run_needs_its_lease_and_the_copy_of_the_state() -> None:
    assert words(of_run(SYSTEM)) == (
        f"create/delete/get/patch configmaps in {SYSTEM}",
        "create/delete/get/update leases.coordination.k8s.io in kube-system",
    )


def test_rights_on_one_resource_are_one_line() -> None:
    some = [Right("", "secrets", verb, "x") for verb in ("patch", "create")]
    assert words([*some, Right("apps", "deployments", "get")]) == (
        "create/patch secrets in x",
        "get deployments.apps",
    )
