"""Resources that the mesh file lists: their addresses, needs and mistakes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from mesh.config.decode import decode
from mesh.config.source.load import parse
from mesh.errors import InputError
from mesh.model import Key, Place, Resource
from mesh.model.spec import Mesh
from mesh.planner.expand import expand
from mesh.sdk.capabilities import Listable
from mesh.sdk.listing import settings
from tests.engine.toy import Toy, ToyProvider


class ListedToy(ToyProvider, Listable[Toy]):
    """A toy that a mesh file can list."""

    def listed(self, mesh: str, key: Key, values: Mapping[str, Any]) -> tuple[Place, Toy]:
        read = settings(values, {"namespace": str}, {"out": 0})
        return Place(read["namespace"], key.name), Toy({"out": read["out"], "mesh": mesh})


class Plain(ToyProvider):
    """A toy that cannot be listed."""

    kind = "plain"


KINDS = {"toy": ListedToy(), "plain": Plain()}


def mesh(*lines: str) -> Mesh:
    """A mesh of two clusters whose file ends in these lines of `spec.resources`."""
    head = (
        "apiVersion: mesh/v1",
        "kind: Mesh",
        "metadata: {name: prod}",
        "spec:",
        "  istio: {version: 1.30.2-solo, license: {env: KEY}}",
        "  clusters: [{name: a}, {name: b}]",
        "  resources:",
    )
    return decode(parse("\n".join([*head, *(f"    {line}" for line in lines), ""]).encode(), "mesh.yaml"))


def listed(*lines: str) -> Resource[Any]:
    return expand(mesh(*lines), KINDS)[Key("toy", "a", "one")]


def test_a_listed_resource_has_its_kinds_place_and_spec_and_its_position() -> None:
    found = listed("- {kind: toy, cluster: a, name: one, spec: {namespace: web, out: 2}}")
    assert (found.place, found.spec) == (Place("web", "one"), Toy({"out": 2, "mesh": "prod"}))
    assert str(found.origin) == "mesh.yaml:8:7"
    assert found.needs == frozenset()


def test_it_needs_what_is_written_and_the_namespace_that_the_mesh_creates() -> None:
    found = listed(
        "- {kind: toy, cluster: a, name: one, spec: {namespace: istio-system}, needs: [chart/a/istiod]}"
    )
    assert found.needs == {Key("chart", "a", "istiod"), Key("namespace", "a", "istio-system")}


def test_listed_resources_can_need_each_other() -> None:
    found = listed(
        "- {kind: toy, cluster: a, name: one, spec: {namespace: web}, needs: [toy/b/two]}",
        "- {kind: toy, cluster: b, name: two, spec: {namespace: web}}",
    )
    assert found.needs == {Key("toy", "b", "two")}


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (
            "- {kind: toi, cluster: a, name: one}",
            "mesh.yaml:8:14: spec.resources[0].kind: there is no kind toi: "
            "the kinds that can be listed are toy; a package can bring more",
        ),
        (
            "- {kind: plain, cluster: a, name: one}",
            "mesh.yaml:8:14: spec.resources[0].kind: resources of kind plain cannot be listed",
        ),
        (
            "- {kind: toy, cluster: a, name: one, spec: {namespace: web, out: much}}",
            "mesh.yaml:8:70: spec.resources[0].spec.out: must be a whole number",
        ),
        (
            "- {kind: toy, cluster: a, name: one}",
            "mesh.yaml:8:7: spec.resources[0].spec: namespace is missing: write it under spec",
        ),
        (
            "- {kind: toy, cluster: a, name: one, spec: {namespace: web}, needs: [chart/a/istio]}",
            "mesh.yaml:8:74: spec.resources[0].needs[0]: there is no resource chart/a/istio: "
            "did you mean chart/a/istiod?",
        ),
    ],
)
def test_a_mistake_of_a_kind_is_told_with_its_place_in_the_file(line: str, problem: str) -> None:
    with pytest.raises(InputError) as caught:
        expand(mesh(line), KINDS)
    assert [str(each) for each in caught.value.problems] == [problem]


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        (["- {kind: toy, cluster: c, name: one}"], "there is no cluster c: the clusters are a, b"),
        (["- {kind: toy, cluster: a, name: one}"] * 2, "toy/a/one is listed twice: list it once"),
        (["- {kind: Toy, cluster: a, name: one}"], '"Toy" is not a valid kind'),
        (["- {kind: toy, cluster: a, name: a/b}"], '"a/b" is not a valid name of a resource'),
        (["- {kind: toy, cluster: a}"], "spec.resources[0].name: is missing"),
    ],
)
def test_a_mistake_of_every_kind_is_found_without_the_kinds(lines: list[str], problem: str) -> None:
    with pytest.raises(InputError) as caught:
        mesh(*lines)
    assert problem in str(caught.value)


def test_an_address_of_the_mesh_itself_cannot_be_listed() -> None:
    kinds = {"chart": ListedToy()}
    with pytest.raises(InputError, match="chart/a/istiod is already a resource of this mesh"):
        expand(mesh("- {kind: chart, cluster: a, name: istiod}"), kinds)


def test_a_list_is_never_forgotten_by_a_caller_without_kinds() -> None:
    with pytest.raises(InputError, match="there is no kind toy"):
        expand(mesh("- {kind: toy, cluster: a, name: one, spec: {namespace: web}}"))
