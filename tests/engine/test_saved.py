"""A saved plan runs only if all that it rests on is as it was reviewed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from mesh.cli.views.plan_file import plan_file, read_plan
from mesh.engine.saved import plan_as_saved, recognisable
from mesh.engine.session import Planned, Session
from mesh.errors import RefusedError, StalePlanError
from mesh.model import Attrs, Found, Key, Live, Plan, Resource, Sensitive
from mesh.model.refs import Ref
from mesh.sdk.contract import Last, Preview
from mesh.world import HelmJob, World
from mesh.world.fingerprints import Fingerprints
from tests.engine.toy import Toy, ToyProvider, carry_out, key, plan, toy, toys


@dataclass
class Rendered(ToyProvider):
    """Toys that are rendered from a chart."""

    objects: dict[str, object] = field(default_factory=lambda: {"ConfigMap x": {"a": 1}})
    chart: str = "sha256:chart"
    refused: str = ""

    def wanted(self, spec: Toy, live: Found, last: Last | None) -> Attrs:
        return {"values": _shown(spec.values)}

    def create(self, spec: Toy, key: Key, world: World) -> None:
        toys(world, key.cluster).put(key.name, _shown(spec.values))

    def preview(self, spec: Toy, key: Key, live: Live | None, world: World) -> Preview:
        refusals = (self.refused,) if self.refused else ()
        return Preview(sends=self.objects, charts={"istiod": self.chart}, refusals=refusals)


def _shown(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if not isinstance(value, Sensitive)}


@dataclass
class Helm:
    """A helm of some version."""

    number: str = "4.2.4"

    def version(self) -> str:
        return self.number

    def pinned(self, job: HelmJob) -> tuple[HelmJob, str]:
        return job, ""


@dataclass
class Scene:
    """A mesh with a saved plan: it changes `a`, deletes `old`, and creates `b` with a value of `c`."""

    session: Session
    kind: Rendered
    helm: Helm
    wishes: dict[str, Any]
    saved: Plan

    def again(self) -> Planned:
        return plan_as_saved(self.session, self.saved, lambda: plan(self.session, *wanted(self.wishes)))


def wanted(wishes: Mapping[str, Any]) -> list[Resource[Toy]]:
    return [
        toy("a", **wishes),
        toy("c", out=5),
        toy("b", taken=Ref(key("c"), "out"), needs=frozenset({key("c")})),
        toy("far", "cluster2", out=1),
    ]


@pytest.fixture
def scene(here: Session) -> Scene:
    kind, helm = Rendered(), Helm()
    world = replace(here.world, fingerprint=Fingerprints(b"k" * 32), helms={"cluster1": helm})
    session = replace(here, world=world, kinds={"toy": kind})
    carry_out(session, plan(session, toy("a", out=1), toy("c", out=5), toy("old", out=1)))
    wishes = {"out": 2, "password": Sensitive("hunter2")}
    made = plan(session, *wanted(wishes)).plan
    assert {each.key.name for each in made.steps} == {"a", "b", "old", "far"}
    return Scene(session, kind, helm, wishes, read_plan(plan_file(recognisable(session, made)), "plan.json"))


def kube(scene: Scene, cluster: str = "cluster1") -> Any:
    return toys(scene.session.world, cluster)


def evil_template(scene: Scene) -> None:
    scene.kind.objects["ClusterRoleBinding evil-admin"] = {"roleRef": "cluster-admin"}


def other_bytes(scene: Scene) -> None:
    scene.kind.chart = "sha256:other"


def hidden_value(scene: Scene) -> None:
    scene.wishes["password"] = Sensitive("attacker")


def wish(scene: Scene) -> None:
    scene.wishes["out"] = 3


def setting(scene: Scene) -> None:
    mesh = scene.session.mesh
    scene.session = replace(scene.session, mesh=replace(mesh, hub="registry.example/other"))


def helm_version(scene: Scene) -> None:
    scene.helm.number = "4.3.0"


def mesh_version(scene: Scene) -> None:
    scene.saved = replace(scene.saved, tools={**scene.saved.tools, "mesh": "0.0.9"})


def swapped_cluster(scene: Scene) -> None:
    one, other = (
        kube(scene, name).objects["namespaces", "", "kube-system"] for name in ("cluster1", "cluster2")
    )
    one["metadata"], other["metadata"] = other["metadata"], one["metadata"]


def live_value(scene: Scene) -> None:
    kube(scene).toys["a"]["values"]["out"] = 7


def live_object(scene: Scene) -> None:
    kube(scene).toys["a"]["uid"] = "another"


def deleted_object(scene: Scene) -> None:
    kube(scene).toys["old"]["uid"] = "another"


def read_object(scene: Scene) -> None:
    kube(scene).toys["c"]["uid"] = "another"


def gone_object(scene: Scene) -> None:
    del kube(scene).toys["c"]


def appeared(scene: Scene) -> None:
    kube(scene).put("b", {"taken": 1})


def another_run(scene: Scene) -> None:
    carry_out(scene.session, plan(scene.session, toy("a", out=1), toy("c", out=5), toy("old", out=2)))


def lost_lockfile(scene: Scene) -> None:
    state = scene.session.store.read("demo")
    scene.session.store.write(replace(state, lineage="another"))
    for cluster in ("cluster1", "cluster2"):
        objects = kube(scene, cluster).objects
        for place in [each for each in objects if each[0] == "configmaps"]:
            del objects[place]


def unreachable(scene: Scene) -> None:
    kube(scene).down = True


def refusal(scene: Scene) -> None:
    scene.kind.refused = "another owner took spec.x"


CHANGES: dict[str, tuple[Callable[[Scene], None], str]] = {
    "evil template": (
        evil_template,
        "toy/cluster1/a: manifest ClusterRoleBinding evil-admin: reviewed none, now sha256:",
    ),
    "chart bytes": (
        other_bytes,
        "toy/cluster1/a: bytes of chart istiod: reviewed sha256:chart, now sha256:other",
    ),
    "hidden value": (hidden_value, "toy/cluster1/a: hidden value values.password: reviewed hmac:"),
    "wish": (wish, "toy/cluster1/a: values.out: reviewed 1 -> 2, now 1 -> 3"),
    "setting": (setting, "configuration: reviewed sha256:"),
    "helm": (helm_version, "version of helm: reviewed 4.2.4, now 4.3.0"),
    "mesh": (mesh_version, "version of mesh: reviewed 0.0.9, now "),
    "cluster": (
        swapped_cluster,
        "cluster cluster1: UID of kube-system: reviewed uid-of-cluster1, now uid-of-cluster2",
    ),
    "live value": (live_value, "toy/cluster1/a: values.out: reviewed 1 -> 2, now 7 -> 2"),
    "live object": (live_object, "toy/cluster1/a: live object, its uid: reviewed uid-0, now another"),
    "deleted object": (deleted_object, "toy/cluster1/old: live object, its uid: reviewed uid-2, now another"),
    "read object": (read_object, "toy/cluster1/b: value read from toy/cluster1/c out: reviewed uid-1:"),
    "gone object": (gone_object, "toy/cluster1/c: step: reviewed none, now create"),
    "appeared": (appeared, "toy/cluster1/b: step: reviewed create, now update"),
    "serial": (another_run, "lockfile serial: reviewed 1, now 2"),
    "lineage": (lost_lockfile, "lockfile lineage: reviewed "),
    "unreachable": (unreachable, "toy/cluster1/a: step: reviewed update, now deferred: does not answer"),
    "refusal": (refusal, "another owner took spec.x"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_matters_and_changed_refuses_the_plan_by_its_name(name: str, scene: Scene) -> None:
    change, told = CHANGES[name]
    change(scene)
    before = [list(kube(scene, each).writes) for each in ("cluster1", "cluster2")]
    with pytest.raises(StalePlanError) as error:
        scene.again()
    assert told in error.value.message
    assert "nothing was changed" in error.value.message
    assert "hunter2" not in error.value.message
    assert (error.value.exit_code, bool(error.value.hint)) == (3, True)
    assert [kube(scene, each).writes for each in ("cluster1", "cluster2")] == before


def nothing(_scene: Scene) -> None:
    """Plan once more."""


def other_object(scene: Scene) -> None:
    kube(scene).toys["unrelated"] = {"uid": "u", "owner": "", "values": {"label": "x"}}


def label_of_another(scene: Scene) -> None:
    kube(scene).objects["namespaces", "", "kube-system"]["metadata"]["labels"] = {"a": "b"}


def other_namespace(scene: Scene) -> None:
    kube(scene).objects["namespaces", "", "shop"] = {"metadata": {"name": "shop", "uid": "s"}}


def comment(scene: Scene) -> None:
    mesh = scene.session.mesh
    scene.session = replace(scene.session, mesh=replace(mesh, file="elsewhere.yaml", digest="other"))


def history(scene: Scene) -> None:
    for name in ("cluster1", "cluster2"):
        for place, obj in kube(scene, name).objects.items():
            if place[0] == "configmaps":
                obj["data"]["history"] = ""


def backups(scene: Scene) -> None:
    scene.session.store.backup(7)


@pytest.mark.parametrize(
    "change", [nothing, other_object, label_of_another, other_namespace, comment, history, backups]
)
def test_what_does_not_matter_changes_nothing(change: Callable[[Scene], None], scene: Scene) -> None:
    change(scene)
    planned = scene.again()
    assert planned.plan.digest == scene.saved.digest
    result = carry_out(scene.session, planned)
    assert not result.failed
    assert kube(scene).toys["b"]["values"] == {"taken": 5}


def test_a_plan_runs_once(scene: Scene) -> None:
    carry_out(scene.session, scene.again())
    with pytest.raises(StalePlanError, match="lockfile serial: reviewed 1, now 2"):
        scene.again()


def test_another_key_of_fingerprints_is_told_with_the_way_out(scene: Scene) -> None:
    world = replace(scene.session.world, fingerprint=Fingerprints(b"l" * 32))
    scene.session = replace(scene.session, world=world)
    with pytest.raises(StalePlanError) as error:
        scene.again()
    assert "MESH_PLAN_KEY" in error.value.hint


def test_a_first_plan_needs_no_lineage(here: Session) -> None:
    made = recognisable(here, plan(here, toy("a", out=1)).plan)
    saved = read_plan(plan_file(made), "plan.json")
    assert plan_as_saved(here, saved, lambda: plan(here, toy("a", out=1))).plan.digest == saved.digest


def test_a_refused_plan_is_told_as_stale_with_its_hint(here: Session) -> None:
    def refused() -> Planned:
        raise RefusedError("not without --take", hint="add it")

    saved = recognisable(here, plan(here, toy("a", out=1)).plan)
    with pytest.raises(StalePlanError, match="not without --take") as error:
        plan_as_saved(here, saved, refused)
    assert error.value.hint == "add it"
