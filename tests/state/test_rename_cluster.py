"""A cluster under another name: every address that has its name in it moves, and nothing else does."""

from __future__ import annotations

import pytest

from mesh.engine.registry import all_kinds
from mesh.errors import RefusedError
from mesh.model import Key, Place, Resource
from mesh.model.spec import Mesh
from mesh.planner.expand import expand
from mesh.sdk import ask
from mesh.sdk.capabilities import NamedAfterCluster
from mesh.sdk.contract import Last
from mesh.state.identity import identities
from mesh.state.lockfile import Entry, State
from mesh.state.rename_cluster import renamed
from tests.engine.toy import ToyProvider
from tests.support.meshes import MESHES, mesh_of

KINDS = all_kinds()


def state_of(mesh: Mesh) -> State:
    """The state after an apply of the mesh, as far as addresses and places go."""
    entries = {key: Entry(Last(each.place), frozenset(each.needs)) for key, each in expand(mesh).items()}
    return State(mesh.name, "line", 2, "run", identities(mesh, {}), entries)


def same_identity(how: str, name: str) -> Mesh:
    """The mesh with cluster `a` under another name, its identity written out."""
    before = identities(mesh_of(how), {})["a"]
    return mesh_of(
        how,
        name,
        clusterName=before.cluster_name,
        network=before.network,
        **({} if how == "upstream" else {"trustDomain": before.trust_domain}),
    )


def moved(how: str) -> tuple[State, dict[Key, Resource[object]]]:
    after = same_identity(how, "new")
    return renamed(state_of(mesh_of(how)), after, KINDS, "a", "new"), dict(expand(after))


@pytest.mark.parametrize("how", MESHES)
def test_after_a_rename_the_state_has_the_addresses_of_the_file(how: str) -> None:
    state, wanted = moved(how)
    assert state.entries.keys() == wanted.keys()


@pytest.mark.parametrize("how", MESHES)
def test_after_a_rename_the_needs_have_the_addresses_of_the_file(how: str) -> None:
    state, wanted = moved(how)
    assert {key: entry.needs for key, entry in state.entries.items()} == {
        key: each.needs for key, each in wanted.items()
    }


@pytest.mark.parametrize("how", MESHES)
def test_a_rename_in_the_file_moves_no_object(how: str) -> None:
    """Objects are named after `clusterName`, which stays: so the next plan deletes and creates nothing."""
    state, wanted = moved(how)
    assert {key: entry.last.place for key, entry in state.entries.items()} == {
        key: each.place for key, each in wanted.items()
    }


def test_the_kinds_that_are_named_after_a_cluster_say_so() -> None:
    """Whatever the expansion names after a cluster, over all kinds."""
    named = {key.kind for how in MESHES for key in expand(mesh_of(how)) if key.name in {"a", "b", "c"}}
    assert named == {name for name, kind in KINDS.items() if isinstance(kind, NamedAfterCluster)}


class Towards(ToyProvider, NamedAfterCluster):
    """A foreign kind whose resources lead to a cluster."""

    kind = "towards"


class Pair(ToyProvider, NamedAfterCluster):
    """A foreign kind with two clusters in the last part of its addresses."""

    kind = "pair"

    def renamed(self, name: str, old: str, new: str) -> str:
        return "+".join(new if each == old else each for each in name.split("+"))


@pytest.mark.parametrize(
    ("kind", "name", "expected"),
    [
        (Towards(), "a", "towards/new/new"),
        (Towards(), "ab", "towards/new/ab"),
        (Pair(), "a+b", "pair/new/new+b"),
        (ToyProvider(), "a", "toy/new/a"),
        (None, "a", "gone/new/a"),
    ],
)
def test_a_foreign_kind_says_which_part_of_its_name_is_a_cluster(
    kind: ToyProvider | None, name: str, expected: str
) -> None:
    key = Key(kind.kind if kind else "gone", "a", name)
    assert str(ask.renamed(kind, key, "a", "new")) == expected


TWO = state_of(mesh_of("solo"))


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("nowhere", "new", "the state has no cluster nowhere"),
        ("a", "b", "the state already has a cluster b"),
        ("a", "other", "the file must have cluster other in place of a"),
    ],
)
def test_a_cluster_gets_only_the_name_that_the_file_gives_it(old: str, new: str, says: str) -> None:
    with pytest.raises(RefusedError, match=says):
        renamed(TWO, same_identity("solo", "new"), KINDS, old, new)


def test_a_file_that_has_both_names_is_refused() -> None:
    with pytest.raises(RefusedError, match="must have cluster other in place of a"):
        renamed(TWO, mesh_of("solo"), KINDS, "a", "other")


def test_a_name_that_changes_the_identity_is_refused_with_what_keeps_it() -> None:
    with pytest.raises(RefusedError, match="another identity than a") as refused:
        renamed(TWO, mesh_of("solo", "new"), KINDS, "a", "new")
    assert (
        refused.value.hint
        == "set clusterName: a, network: a, trustDomain: a.local for cluster new in the file"
    )


def test_the_recorded_identity_stays_and_the_context_is_that_of_the_file() -> None:
    state, _ = moved("solo")
    assert state.clusters.keys() == {"new", "b", "c"}
    assert state.clusters["new"] == TWO.clusters["a"]


def test_a_place_is_not_read_from_the_name_of_a_cluster() -> None:
    """An adopted release, say, is where it was found, whatever its cluster is called."""
    key, place = Key("chart", "a", "istiod"), Place("elsewhere", "a")
    before = State("demo", "line", 2, "run", TWO.clusters, {key: Entry(Last(place))})
    after = renamed(before, same_identity("solo", "new"), KINDS, "a", "new")
    assert after.entries == {Key("chart", "new", "istiod"): Entry(Last(place))}
