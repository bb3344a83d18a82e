"""A whole bundle of the Gateway API is told from a part of one by the cluster alone."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from mesh.errors import KubeError
from mesh.model import Action, Key, Live, Place, Step
from mesh.model.spec import GatewayAPI
from mesh.planner.step import step_for
from mesh.providers.crds import CrdsProvider, CrdsSpec
from mesh.providers.crds.bundle import CHANNEL, GROUP, PARTS, VERSION
from mesh.sdk.managed_fields import marks
from mesh.world import Object, World
from mesh.world.clock import SystemClock
from mesh.world.resources import CRD
from mesh.world.snapshot import Snapshot
from tests.engine.toy import Kube

NAMES = ("backendtlspolicies", "gatewayclasses", "gateways", "grpcroutes", "httproutes")
KIND = CrdsProvider()
KEY, PLACE = Key("crds", "one", "gateway-api"), Place("", "gateway-api")
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def crd(name: str, version: str = "v1.4.0", channel: str = "standard") -> Object:
    notes = {VERSION: version, CHANNEL: channel}
    meta = {"name": f"{name}.{GROUP}", "annotations": notes}
    return {"apiVersion": CRD.api_version, "kind": CRD.kind, "metadata": meta, "spec": {"group": GROUP}}


@dataclass
class Server(Kube):
    """An API server that serves the CRDs it has, and breaks before a write number `left`."""

    left: int = 1000
    applied: list[str] = field(default_factory=list)

    def apply(self, obj: Object, **how: Any) -> Object:
        if not self.left:
            raise KubeError("killed")
        self.left -= 1
        self.applied.append(obj["metadata"]["name"])
        meta = {**obj["metadata"], "uid": f"uid-{obj['metadata']['name']}"}
        self.objects[CRD.plural, "", meta["name"]] = {**obj, "metadata": meta}
        return obj

    def get_path(self, path: str) -> Object:
        found = [name for plural, _, name in self.objects if plural == CRD.plural]
        return {"resources": [{"name": name.partition(".")[0]} for name in found]}


@pytest.fixture
def spec(tmp_path: Path) -> CrdsSpec:
    (tmp_path / "bundle.yaml").write_text(yaml.safe_dump_all([crd(name) for name in NAMES]))
    return CrdsSpec("demo", GatewayAPI("v1.4.0", str(tmp_path / "bundle.yaml")))


def at(kube: Server) -> World:
    return World({"one": kube}, {}, SystemClock(), {}, Path())


def live(kube: Server) -> Live | None:
    found = KIND.observe({KEY: PLACE}, Snapshot("one", at(kube)))[KEY]
    assert found is None or isinstance(found, Live)
    return found


def step(spec: CrdsSpec, kube: Server) -> Step | None:
    """The step of a run that has no record of any other."""
    return step_for(KIND, spec, KEY, live(kube), None, NOW)


def carry_out(spec: CrdsSpec, kube: Server) -> None:
    found = live(kube)
    if found is None:
        KIND.create(spec, KEY, at(kube))
    else:
        KIND.update(spec, KEY, found, None, at(kube))


@pytest.mark.parametrize("writes", range(len(NAMES)))
def test_a_run_killed_between_two_crds_is_completed_without_its_journal(spec: CrdsSpec, writes: int) -> None:
    kube = Server("one", left=writes)
    with pytest.raises(KubeError):
        carry_out(spec, kube)
    kube.left = 1000
    found = step(spec, kube)
    assert found is not None
    assert found.action is (Action.UPDATE if writes else Action.CREATE)
    carry_out(spec, kube)
    assert step(spec, kube) is None


@pytest.mark.parametrize("lost", NAMES)
def test_any_crd_that_was_deleted_by_hand_is_made_again(spec: CrdsSpec, lost: str) -> None:
    kube = Server("one")
    carry_out(spec, kube)
    kube.delete(CRD, "", f"{lost}.{GROUP}")
    found = step(spec, kube)
    assert found is not None
    assert found.why == f"the cluster has a part of the bundle only, without {lost}"
    carry_out(spec, kube)
    assert step(spec, kube) is None


@pytest.mark.parametrize("writes", range(len(NAMES)))
def test_a_killed_upgrade_keeps_the_old_version_until_its_last_crd(spec: CrdsSpec, writes: int) -> None:
    kube = Server("one")
    for name in NAMES:
        old = crd(name, version="v1.2.0")
        kube.apply({**old, "metadata": {**old["metadata"], "labels": marks("demo")}})
    kube.left = writes
    with pytest.raises(KubeError):
        carry_out(spec, kube)
    kube.left = 1000
    found = step(spec, kube)
    assert found is not None
    assert [each.dotted for each in found.fields] == ["version"]
    carry_out(spec, kube)
    assert step(spec, kube) is None


def test_only_what_is_missing_of_another_owners_bundle_is_made(spec: CrdsSpec) -> None:
    kube = Server("one")
    for name in NAMES:
        if name != "gateways":
            kube.apply(crd(name))
    kube.applied.clear()
    found = step(spec, kube)
    assert found is not None
    assert found.action is Action.UPDATE
    carry_out(spec, kube)
    assert kube.applied == [f"gateways.{GROUP}"]
    assert step(spec, kube) is None


@pytest.mark.parametrize(("version", "channel"), [("v1.5.0", "standard"), ("v1.4.0", "experimental")])
def test_a_part_of_another_bundle_is_not_mixed_with_that_of_the_file(
    spec: CrdsSpec, version: str, channel: str
) -> None:
    kube = Server("one")
    kube.apply(crd("httproutes", version, channel))
    why = KIND.refuse(spec, live(kube), None)
    assert f"a part of the {channel} Gateway API {version}, without gatewayclasses, gateways" in why
    for name in ("gateways", "gatewayclasses"):
        kube.apply(crd(name, version, channel))
    assert KIND.refuse(spec, live(kube), None) == ""
    assert step(spec, kube) is None


def test_a_crd_that_is_being_deleted_is_missing_and_waited_for(spec: CrdsSpec) -> None:
    kube = Server("one")
    carry_out(spec, kube)
    going = kube.objects[CRD.plural, "", f"gateways.{GROUP}"]
    going["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    found = step(spec, kube)
    assert found is not None
    assert "without gateways" in found.why
    assert KIND.busy(KEY, PLACE, at(kube)) == f"still being deleted: gateways.{GROUP}"
    kube.delete(CRD, "", f"gateways.{GROUP}")
    assert KIND.busy(KEY, PLACE, at(kube)) == ""


def test_the_last_crd_lists_all_of_them(spec: CrdsSpec) -> None:
    kube = Server("one")
    carry_out(spec, kube)
    assert kube.applied[-1] == f"gateways.{GROUP}"
    note = kube.objects[CRD.plural, "", f"gateways.{GROUP}"]["metadata"]["annotations"][PARTS]
    assert note == ",".join(NAMES)
    shown = list(KIND.documents(spec, KEY, at(kube)))
    assert [each.body["metadata"]["name"] for each in shown if each.body] == kube.applied


def test_a_newer_bundle_of_another_owner_stays_as_it_is(spec: CrdsSpec) -> None:
    kube = Server("one")
    for name in NAMES:
        kube.apply(crd(name, "v1.5.0"))
    assert step(spec, kube) is None
    assert step(replace(spec, api=replace(spec.api, version="v1.0.0")), kube) is None
