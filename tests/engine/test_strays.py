"""Objects that carry the mark of this mesh and are neither in the file nor in the state."""

from __future__ import annotations

from dataclasses import replace

from mesh.engine.session import Session
from mesh.engine.strays import strays
from mesh.model import Key, Place
from mesh.providers.namespace import NamespaceProvider
from mesh.sdk.managed_fields import ADDRESS_ANNOTATION, MESH_LABEL
from mesh.world import Object
from mesh.world.resources import NAMESPACE
from mesh.world.snapshot import Snapshot
from tests.engine.toy import carry_out, plan, toy, toys

LEFT = Key("namespace", "cluster1", "left")


def marked(name: str, mesh: str = "demo") -> Object:
    return {
        "metadata": {
            "name": name,
            "uid": f"uid-of-{name}",
            "labels": {MESH_LABEL: mesh},
            "annotations": {ADDRESS_ANNOTATION: f"namespace/cluster1/{name}"},
        }
    }


def test_a_plan_names_what_carries_the_mark_and_is_in_no_state(here: Session) -> None:
    session = replace(here, kinds={**here.kinds, "namespace": NamespaceProvider()})
    kube = toys(here.world, "cluster1")
    for name, mesh in (("left", "demo"), ("other", "another-mesh")):
        kube.objects[NAMESPACE.plural, "", name] = marked(name, mesh)
    found = plan(session, toy("a")).plan
    assert [each for each in found.warnings if "carries the mark" in each] == [
        "namespace/cluster1/left (left) carries the mark of this mesh and is neither in the mesh file nor "
        "in the state: it stays; see check Q20"
    ]
    assert not carry_out(session, plan(session, toy("a"))).failed
    assert (NAMESPACE.plural, "", "left") in kube.objects


def test_what_is_known_by_its_address_or_its_place_is_none_and_nothing_is_read_for_it(here: Session) -> None:
    kube = toys(here.world, "cluster1")
    kube.objects[NAMESPACE.plural, "", "left"] = marked("left")
    kinds = {"namespace": NamespaceProvider()}
    snapshot = Snapshot("cluster1", here.world)
    assert strays("demo", kinds, {"cluster1": snapshot}, {}, here.world) == (), "nothing was read before"
    snapshot.list(NAMESPACE)
    assert len(strays("demo", kinds, {"cluster1": snapshot}, {}, here.world)) == 1
    for key in (LEFT, Key("namespace", "cluster1", "renamed")):
        known = {key: Place("", "left")}
        assert strays("demo", kinds, {"cluster1": snapshot}, known, here.world) == ()


def test_an_object_that_cannot_be_understood_hides_no_other_kind_and_breaks_no_plan(here: Session) -> None:
    class Odd(NamespaceProvider):
        def owned(self, mesh: str, snapshot: Snapshot) -> dict[Key, Place]:
            raise TypeError("an object of an unexpected form")

    kube = toys(here.world, "cluster1")
    kube.objects[NAMESPACE.plural, "", "left"] = marked("left")
    snapshot = Snapshot("cluster1", here.world)
    snapshot.list(NAMESPACE)
    kinds = {"odd": Odd(), "namespace": NamespaceProvider()}
    assert len(strays("demo", kinds, {"cluster1": snapshot}, {}, here.world)) == 1
