"""Kind `secret` on a real API server."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from mesh.lab import Lab
from mesh.model import Key, Live, Place, Sensitive, Unread
from mesh.providers.secret import SecretProvider, SecretSpec
from mesh.sdk.contract import Last
from mesh.sdk.kube_secret import place
from mesh.world import World
from mesh.world.snapshot import Snapshot
from tests.conftest import Tool
from tests.providers.worlds import fresh_namespace, look, look_live, without_rights, world_on

KIND = SecretProvider()
KEY = Key("secret", "cluster1", "licence")


@pytest.fixture
def world(lab: Lab, tmp_path: Path) -> World:
    return world_on(lab, tmp_path)


@pytest.fixture
def namespace(world: World) -> Iterator[str]:
    with fresh_namespace(world, "cluster1") as name:
        yield name


@pytest.fixture
def spec(namespace: str) -> SecretSpec:
    return SecretSpec("prod", KEY, namespace, "licence", Sensitive("a-licence-key"))


def where(spec: SecretSpec) -> Place:
    return place(spec.mesh, spec.namespace, spec.name)


def test_it_is_absent_then_as_wanted_then_gone(spec: SecretSpec, world: World) -> None:
    assert look(KIND, KEY, where(spec), world) is None
    KIND.create(spec, KEY, world)
    KIND.create(spec, KEY, world)
    live = look_live(KIND, KEY, where(spec), world)
    assert KIND.wanted(spec, live, None) == live.attrs
    assert str(live.outputs["digest"]).startswith("hmac:")
    assert live.attrs["data"]["license-key"] == spec.value
    assert live.owner == "prod"
    assert "a-licence-key" not in repr(live)
    assert KIND.owned("prod", Snapshot("cluster1", world)).get(KEY) == where(spec)
    last = Last(where(spec), uid=live.uid)
    assert KIND.delete(KEY, where(spec), live, last, world) == ()
    assert KIND.delete(KEY, where(spec), live, last, world) == ()
    assert look(KIND, KEY, where(spec), world) is None


def test_a_changed_licence_moves_the_digest(spec: SecretSpec, world: World) -> None:
    KIND.create(spec, KEY, world)
    before = look_live(KIND, KEY, where(spec), world)
    newer = replace(spec, value=Sensitive("another"))
    KIND.update(newer, KEY, before, None, world)
    after = look_live(KIND, KEY, where(spec), world)
    assert after.attrs == KIND.wanted(newer, before, None) != before.attrs
    assert after.outputs != before.outputs
    assert after.token != before.token


def test_a_licence_edited_by_hand_is_told_and_taken_back(
    spec: SecretSpec, world: World, kubectl: Tool
) -> None:
    KIND.create(spec, KEY, world)
    patch = '{"stringData": {"license-key": "by hand", "note": "kept"}}'
    kubectl("cluster1", "-n", spec.namespace, "patch", "secret", "licence", "-p", patch)
    live = look_live(KIND, KEY, where(spec), world)
    assert KIND.wanted(spec, live, None) != live.attrs
    assert any(
        touch.path == ("data", "license-key") and touch.manager.startswith("kubectl")
        for touch in live.touches
    )
    preview = KIND.preview(spec, KEY, live, world)
    assert preview.refusals == ()
    assert any("kubectl" in note for note in preview.notes)
    KIND.update(spec, KEY, live, None, world)
    mended = look_live(KIND, KEY, where(spec), world)
    assert KIND.wanted(spec, mended, None) == mended.attrs
    note = kubectl(
        "cluster1", "-n", spec.namespace, "get", "secret", "licence", "-o", "jsonpath={.data.note}"
    )
    assert note


def test_a_given_secret_is_verified_by_any_accepted_key(namespace: str, world: World, kubectl: Tool) -> None:
    given = SecretSpec("prod", KEY, namespace, "licence", None)
    create = ("-n", namespace, "create", "secret", "generic", "licence")
    kubectl("cluster1", *create, "--from-literal=license-key=", "--from-literal=gloo-trial-license-key=abc")
    live = look(KIND, KEY, where(given), world)
    assert isinstance(live, Live)
    assert KIND.refuse(given, live, None) == ""
    assert list(live.attrs["data"]) == ["gloo-trial-license-key"]
    assert live.owner.startswith("field manager kubectl")


def test_a_cluster_that_may_not_be_read_is_unread(spec: SecretSpec, world: World) -> None:
    found = look(KIND, KEY, where(spec), without_rights(world))
    assert isinstance(found, Unread)
    assert "cannot list secrets" in found.why
