"""A cluster's copy of the state speaks of its own cluster, and of no other."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.model import NO_CLUSTER, Key, Place
from mesh.model.graph import ordered
from mesh.sdk.contract import Last
from mesh.state.lockfile import ClusterIdentity, Entry, State, fresh
from mesh.state.merge import newer
from mesh.state.own_part import Local, OwnParts, own_parts

KINDS = (
    "cert",
    "chart",
    "crds",
    "gateway",
    "label",
    "link",
    "namespace",
    "peer",
    "reader",
    "remote",
    "secret",
    "toy",
)
ROOT = Key("cert", NO_CLUSTER, "root")


def identity(name: str) -> ClusterIdentity:
    return ClusterIdentity(f"uid-of-{name}", name, name, f"{name}.local", context=f"ctx-{name}")


WHO = {name: identity(name) for name in ("one", "two")}
UIDS = {name: who.uid for name, who in WHO.items()}
ENTRY = Entry(Last(Place("ns", "x"), uid="u"))


def entries(*keys: Key) -> dict[Key, Entry]:
    return dict.fromkeys(keys, ENTRY)


def recorded(*keys: Key) -> State:
    return State("demo", "line", 3, "run", WHO, entries(*keys))


def copy(name: str, *keys: Key, serial: int = 4) -> State:
    return State("demo", "line", serial, "run-4", {name: WHO[name]}, entries(*keys))


def local(state: State | None = None, **uids: str) -> Local:
    return Local(state or recorded(), WHO, {**UIDS, **uids})


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("known", [True, False], ids=["recorded", "no lockfile"])
def test_an_entry_of_another_cluster_is_ignored_and_named(kind: str, known: bool) -> None:
    own, foreign = Key(kind, "one", "x"), Key(kind, "two", "payments")
    state = recorded(Key("toy", "two", "mine")) if known else fresh("demo")
    found = own_parts({"one": copy("one", own, foreign)}, local(state))
    assert set(found.parts["one"].entries) == {own}
    assert found.said == (f"cluster one: its copy of the state names {foreign} of other clusters: ignored",)
    merged = newer(state, found.parts)
    assert foreign not in merged.entries
    assert set(merged.entries) == {own} | set(state.entries)


@pytest.mark.parametrize(
    "told",
    [
        {"two": WHO["two"]},
        {"two": replace(WHO["two"], uid="uid-of-one")},
        {"two": replace(WHO["one"], context="evil", kubeconfig="/evil")},
        {"three": replace(WHO["one"], uid="uid-of-three")},
    ],
)
def test_another_cluster_is_never_described(told: dict[str, ClusterIdentity]) -> None:
    part = replace(copy("one"), clusters={"one": WHO["one"], **told})
    for state in (recorded(), fresh("demo")):
        found = own_parts({"one": part}, local(state))
        assert set(found.parts["one"].clusters) == {"one"}
        assert "describes other clusters" in found.said[0]


def test_a_copy_never_says_how_its_cluster_is_reached() -> None:
    evil = replace(WHO["one"], context="evil", kubeconfig="/evil")
    part = replace(copy("one"), clusters={"one": evil})
    for state in (recorded(), fresh("demo")):
        assert own_parts({"one": part}, local(state)).parts["one"].clusters == {"one": WHO["one"]}


def test_a_copy_from_before_a_renaming_is_known_by_the_uid_of_its_cluster() -> None:
    old = State("demo", "line", 4, "run-4", {"east": WHO["one"]}, entries(Key("toy", "east", "x")))
    found = own_parts({"one": old}, local(fresh("demo")))
    assert set(found.parts["one"].entries) == {Key("toy", "east", "x")}
    assert found.said == ()
    assert own_parts({"one": old}, local(fresh("demo"), one="another")).parts["one"].entries == {}


def test_a_copy_under_a_former_name_is_not_used_once_the_lockfile_has_the_new_one() -> None:
    old = State("demo", "line", 3, "run", {"east": WHO["one"]}, entries(Key("toy", "east", "x")))
    assert own_parts({"one": old}, local()) == OwnParts({})
    newer_one = own_parts({"one": replace(old, serial=4)}, local())
    assert newer_one == OwnParts({}, ("cluster one: its copy of the state calls it 'east': it is ignored",))


def test_a_copy_that_takes_the_name_of_a_recorded_cluster_is_ignored() -> None:
    gone = replace(recorded(), clusters={**WHO, "gone": identity("gone")})
    evil = State("demo", "line", 4, "run", {"gone": WHO["one"]}, entries(Key("toy", "gone", "x")))
    assert own_parts({"one": evil}, local(gone)).parts["one"].entries == {}


def test_a_copy_of_another_mesh_is_ignored() -> None:
    found = own_parts({"one": replace(copy("one", Key("toy", "one", "x")), mesh="other")}, local())
    assert found == OwnParts({}, ("cluster one: its copy of the state is of mesh 'other': it is ignored",))


def test_what_was_adopted_stays_adopted_with_the_values_of_its_owner() -> None:
    key = Key("chart", "one", "istiod")
    adopted = Last(Place("ns", "x"), {"a": "1"}, created=False, theirs=frozenset({"a"}))
    state = recorded().with_entry(key, Entry(adopted))
    (found,) = own_parts({"one": copy("one", key)}, local(state)).parts["one"].entries.values()
    assert (found.last.created, found.last.theirs) == (False, frozenset({"a"}))


def test_an_adoption_that_only_a_copy_knows_is_marked_as_told() -> None:
    key = Key("chart", "one", "istiod")
    part = copy("one").with_entry(key, Entry(Last(Place("ns", "x"), created=False)))
    for state in (recorded(), fresh("demo")):
        (found,) = own_parts({"one": part}, local(state)).parts["one"].entries.values()
        assert found.last.told


def root(fingerprint: str) -> Entry:
    return Entry(Last(Place("", "demo"), outputs={"issuer": {"fingerprint": fingerprint}}))


@pytest.mark.parametrize(
    ("lockfile", "copies", "wanted"),
    [
        ("good", {"one": "evil"}, "good"),
        ("good", {"one": "evil", "two": "good"}, "good"),
        ("old", {"one": "new", "two": "new"}, "new"),
        ("", {"one": "good", "two": "good"}, "good"),
        ("", {"one": "evil", "two": "good"}, ""),
        ("", {"one": "good"}, "good"),
    ],
)
def test_one_copy_alone_never_changes_the_root_of_trust(
    lockfile: str, copies: dict[str, str], wanted: str
) -> None:
    state = recorded().with_entry(ROOT, root(lockfile)) if lockfile else fresh("demo")
    held = {name: copy(name).with_entry(ROOT, root(each)) for name, each in copies.items()}
    found = own_parts(held, local(state))
    merged = newer(state, found.parts)
    assert merged.entries.get(ROOT) == (root(wanted) if wanted else None)
    assert bool(found.said) is (len({*copies.values(), lockfile} - {""}) > 1 and wanted != "new")


def test_needs_that_form_a_cycle_are_ignored() -> None:
    one, two = Key("toy", "one", "x"), Key("toy", "two", "x")
    evil = copy("one").with_entry(one, replace(ENTRY, needs=frozenset({two})))
    state = recorded().with_entry(two, replace(ENTRY, needs=frozenset({one})))
    found = own_parts({"one": evil}, local(state))
    assert "dependencies in a cycle" in found.said[0]
    ordered({key: entry.needs for key, entry in newer(state, found.parts).entries.items()})


NAMES = st.sampled_from(["one", "two", "three", NO_CLUSTER])
KEYS = st.builds(Key, st.sampled_from(KINDS), NAMES, st.sampled_from("abc"))
FORGED = st.builds(
    State,
    mesh=st.sampled_from(["demo", "other"]),
    lineage=st.just("line"),
    serial=st.integers(4, 9),
    run=st.just("evil"),
    clusters=st.dictionaries(
        st.sampled_from(["one", "two", "three"]),
        st.builds(
            ClusterIdentity,
            st.sampled_from(["", "uid-of-one", "uid-of-two"]),
            *[st.just("x")] * 3,
            context=st.just("evil"),
            kubeconfig=st.just("evil"),
        ),
    ),
    entries=st.dictionaries(
        KEYS, st.builds(Entry, st.builds(Last, st.just(Place("n", "x"))), st.frozensets(KEYS, max_size=3))
    ),
)


@given(FORGED, st.frozensets(KEYS.filter(lambda key: key.cluster == "two"), max_size=4))
def test_whatever_one_copy_says_nothing_of_another_cluster_changes(evil: State, mine: frozenset[Key]) -> None:
    state = recorded(*mine)
    found = own_parts({"one": evil}, local(state))
    merged = newer(state, found.parts)
    others = {key: entry for key, entry in merged.entries.items() if key.cluster not in {"one", NO_CLUSTER}}
    assert others == state.entries
    assert merged.clusters == state.clusters
    ordered({key: entry.needs for key, entry in merged.entries.items()})
