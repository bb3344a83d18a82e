"""The resources of a group version, read once and again when a kind is missing."""

from __future__ import annotations

from mesh.world import Object
from mesh.world.kube.discovery import Served
from mesh.world.kube.errors import Call, Missing

WIDGET = {"name": "widgets", "kind": "Widget", "namespaced": True}


def test_a_group_version_is_read_once_and_again_for_a_kind_that_is_new() -> None:
    asked: list[str] = []
    listed = [WIDGET, {**WIDGET, "name": "widgets/status"}]

    def get_path(path: str) -> Object:
        asked.append(path)
        return {"resources": listed}

    served = Served()
    (found,) = served.of("x.y/v1", "Widget", get_path)
    assert (found.api_version, found.plural, found.namespaced) == ("x.y/v1", "widgets", True)
    served.of("x.y/v1", "Widget", get_path)
    assert asked == ["/apis/x.y/v1"]
    listed.append({"name": "gears", "kind": "Gear", "namespaced": False})
    assert [each.kind for each in served.of("x.y/v1", "Gear", get_path)] == ["Widget", "Gear"]
    assert len(asked) == 2


def test_a_group_that_is_not_served_has_no_resources() -> None:
    def get_path(path: str) -> Object:
        raise Missing(Call("c", "x", "get", path), "no")

    assert Served().of("x.y/v1", "Widget", get_path) == ()


def test_the_core_group_has_a_path_of_its_own() -> None:
    asked: list[str] = []

    def get_path(path: str) -> Object:
        asked.append(path)
        return {}

    assert Served().of("v1", "Pod", get_path) == ()
    assert asked == ["/api/v1"]
