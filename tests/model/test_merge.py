"""Three-way merge: ours, ours last time, and what is there."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesh.model.diff import fingerprints, leaves
from mesh.model.merge import merge

SCALARS = st.integers(0, 2) | st.sampled_from(["x", "y"]) | st.none()
NAMED = st.lists(
    st.fixed_dictionaries({"name": st.sampled_from("pqr")}, optional={"v": SCALARS}),
    min_size=1,
    max_size=3,
    unique_by=lambda item: item["name"],
)
TREES = st.recursive(
    SCALARS | NAMED,
    lambda inner: st.dictionaries(st.sampled_from("abcd"), inner, min_size=1, max_size=3),
    max_leaves=6,
)
TREE = st.dictionaries(st.sampled_from("abcd"), TREES, max_size=4)


MAPS = st.recursive(
    SCALARS,
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner, min_size=1, max_size=3),
    max_leaves=6,
).filter(lambda tree: isinstance(tree, dict))
Tree = dict[str, Any]
LAW = settings(deadline=None)


@LAW
@given(TREE, TREE, TREE)
def test_merging_again_changes_nothing(ours: Tree, live: Tree, last: Tree) -> None:
    once = merge(ours, live, fingerprints(last))
    assert merge(ours, once, fingerprints(ours)) == once


@LAW
@given(TREE, TREE, TREE)
def test_all_that_we_want_is_there(ours: Tree, live: Tree, last: Tree) -> None:
    merged = dict(leaves(merge(ours, live, fingerprints(last))))
    assert {path: merged.get(path) for path, _ in leaves(ours) if path} == {
        path: value for path, value in leaves(ours) if path
    }


@LAW
@given(MAPS, MAPS)
def test_what_was_never_ours_stays(ours: Tree, live: Tree) -> None:
    merged, wanted = dict(leaves(merge(ours, live, ()))), [path for path, _ in leaves(ours) if path]
    for path, value in leaves(live):
        is_ours = any(each[: len(path)] == path or path[: len(each)] == each for each in wanted)
        assert is_ours or merged.get(path, {}) == value


@LAW
@given(TREE)
def test_what_we_no_longer_want_disappears(ours: Tree) -> None:
    assert merge({}, ours, fingerprints(ours)) == {}


@pytest.mark.parametrize(
    ("ours", "live", "last", "expected"),
    [
        ({"a": 1}, {"a": 2, "b": 3}, (), {"a": 1, "b": 3}),
        ({}, {"a": 2, "b": 3}, ("a",), {"b": 3}),
        ({}, {"a": {"ours": 1, "theirs": 2}}, ("a.ours",), {"a": {"theirs": 2}}),
        ({}, {"a": {"ours": 1}}, ("a.ours",), {}),
        ({"a": {"x": 1}}, {"a": "theirs"}, (), {"a": {"x": 1}}),
        ({"a": "ours"}, {"a": {"x": 1}}, (), {"a": "ours"}),
        ({"a": [1]}, {"a": [2, 3]}, (), {"a": [1]}),
        ({}, {"a": [2, 3]}, ("a.[0]",), {}),
        ({}, {"a": [2, 3]}, (), {"a": [2, 3]}),
        (
            {"l": [{"name": "p", "v": 1}]},
            {"l": [{"name": "p", "v": 2, "default": 3}, {"name": "q"}]},
            (),
            {"l": [{"name": "p", "v": 1, "default": 3}, {"name": "q"}]},
        ),
        ({}, {"l": [{"name": "p"}, {"name": "q"}]}, ("l.[p].name",), {"l": [{"name": "q"}]}),
        ({}, {"x.io/y": 1}, ('"x.io/y"',), {}),
        ({}, {"a": None, "b": {"c": None}}, (), {"a": None, "b": {"c": None}}),
        ({"b": {"d": 1}}, {"b": {"c": None}}, (), {"b": {"c": None, "d": 1}}),
        ({}, {"a": None}, ("a",), {}),
    ],
)
def test_it_merges(ours: Any, live: Any, last: Any, expected: Any) -> None:
    assert merge(ours, live, last) == expected
