"""Two plain values to the fields that differ."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesh.model import ABSENT, Key, Sensitive, Unknown
from mesh.model.diff import diff, digest, dotted, fingerprints, leaves

GATEWAY = Key("gateway", "cluster2", "istio-eastwest")

SCALARS = st.none() | st.booleans() | st.integers(-3, 3) | st.text("ab._", max_size=3)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.dictionaries(st.sampled_from(["a", "b", "__c", "d.e", "name"]), inner, max_size=3)
        | st.lists(inner, max_size=3)
    ),
    max_leaves=8,
)
ATTRS = st.dictionaries(st.sampled_from(["metadata", "spec", "__x"]), VALUES, max_size=3)


LAW = settings(deadline=None)


def told(before: Any, after: Any) -> list[tuple[str, Any, Any]]:
    return [(each.dotted, each.before, each.after) for each in diff(before, after)]


def json_leaves(value: Any) -> dict[tuple[str, ...], str]:
    return {path: json.dumps(leaf) for path, leaf in leaves(value)}


@LAW
@given(ATTRS)
def test_nothing_differs_from_itself(attrs: dict[str, Any]) -> None:
    assert diff(attrs, attrs) == ()
    assert diff(attrs, json.loads(json.dumps(attrs))) == ()


@LAW
@given(ATTRS, ATTRS)
def test_what_is_not_equal_differs_somewhere_and_backwards_alike(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    there, back = diff(one, other), diff(other, one)
    assert [each.path for each in there] == [each.path for each in back]
    assert [(each.before, each.after) for each in there] == [(each.after, each.before) for each in back]
    assert bool(there) == (json_leaves(one) != json_leaves(other))


@LAW
@given(ATTRS)
def test_from_nothing_every_leaf_is_an_addition(attrs: dict[str, Any]) -> None:
    expected = {path: value for path, value in leaves(attrs) if path}
    assert {each.path: each.after for each in diff({}, attrs)} == expected
    assert all(each.before is ABSENT for each in diff({}, attrs))


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"a": 1}, {"a": 2}, [("a", 1, 2)]),
        ({"a": 1}, {"a": True}, [("a", 1, True)]),
        ({"a": "1"}, {"a": 1}, [("a", "1", 1)]),
        ({"a": 1, "b": 1}, {"a": 1.0, "b": 2}, [("b", 1, 2)]),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1}}, [("a.c", 2, ABSENT)]),
        ({"a": {"b": 1}}, {"a": "x"}, [("a", ABSENT, "x"), ("a.b", 1, ABSENT)]),
        ({"a": {}}, {"a": None}, [("a", {}, None)]),
        ({"__a": 1}, {"__a": 2}, [("__a", 1, 2)]),
        ({"a": {"x.io/y": 1}}, {"a": {}}, [('a."x.io/y"', 1, ABSENT)]),
        ({"a": [1, 2]}, {"a": [1, 3]}, [("a[1]", 2, 3)]),
    ],
)
def test_a_difference_is_told_leaf_by_leaf(before: Any, after: Any, expected: Any) -> None:
    assert told(before, after) == expected


def test_named_items_are_compared_by_name_in_any_order() -> None:
    one = [{"name": "hbone", "port": 15008}, {"name": "xds", "port": 15012}]
    assert told({"l": one}, {"l": one[::-1]}) == []
    moved = [{"name": "xds", "port": 15099}, one[0]]
    assert told({"l": one}, {"l": moved}) == [("l[xds].port", 15012, 15099)]


def test_items_whose_names_are_not_unique_are_compared_by_place() -> None:
    before = [{"name": "a", "v": 1}, {"name": "a", "v": 2}]
    after = [{"name": "a", "v": 1}, {"name": "a", "v": 3}]
    assert told({"l": before}, {"l": after}) == [("l[1].v", 2, 3)]


def test_an_unknown_differs_from_every_value_and_stays_unknown() -> None:
    unknown = Unknown(GATEWAY)
    assert told({"a": "1.2.3.4"}, {"a": unknown}) == [("a", "1.2.3.4", unknown)]
    assert told({"a": unknown}, {"a": unknown}) == []


def test_a_hidden_value_is_compared_by_what_it_is() -> None:
    wrapped = Sensitive({"b": [Sensitive(1.0)]})
    assert diff({"a": wrapped}, {"a": {"b": [1]}}) == ()
    assert diff({"a": Sensitive(Sensitive("x"))}, {"a": "x"}) == ()
    (field,) = diff({"a": {"b": "x", "c": 1}}, {"a": Sensitive({"b": "y", "c": 1})})
    assert field.path == ("a",)
    assert (field.before, field.after) == (
        Sensitive({"b": "x", "c": 1}),
        Sensitive({"b": "y", "c": 1}),
    )
    (gone,) = diff({"a": Sensitive(["x"])}, {})
    assert (gone.before, gone.after) == (Sensitive(["x"]), ABSENT)


def test_a_secret_is_compared_and_never_shown() -> None:
    assert told({"a": Sensitive("one")}, {"a": Sensitive("one")}) == []
    (field,) = diff({"a": Sensitive("one")}, {"a": Sensitive("two")})
    assert isinstance(field.before, Sensitive)
    assert isinstance(field.after, Sensitive)
    assert (field.before, field.after) == (Sensitive("one"), Sensitive("two"))
    assert "one" not in repr(field.before)
    assert "two" not in repr(field)


@given(VALUES)
def test_equal_values_have_equal_digests(value: Any) -> None:
    assert digest(value) == digest(json.loads(json.dumps(value)))


def test_no_digest_is_made_of_a_secret() -> None:
    assert digest(Sensitive("guess me")) == "*"
    assert fingerprints({"a": {"password": Sensitive("guess me")}}) == {"a.password": "*"}


def test_a_path_with_a_dot_in_a_part_is_quoted() -> None:
    assert dotted(("metadata", "labels", "topology.istio.io/network")) == (
        'metadata.labels."topology.istio.io/network"'
    )
