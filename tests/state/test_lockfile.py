"""The lockfile's format: what goes in comes out, and nothing damaged passes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import reduce
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.errors import StateError
from mesh.model import NO_CLUSTER, Key, Place
from mesh.sdk.contract import Last
from mesh.state.lockfile import ClusterIdentity, Entry, State, from_text, to_text

ROOT = Key("cert", NO_CLUSTER, "root")


def identity(uid: str) -> ClusterIdentity:
    return ClusterIdentity(uid, uid, uid, f"{uid}.local", context=uid)


def entry(*needs: Key, uid: str = "") -> Entry:
    return Entry(Last(Place("istio-system", "x"), {"a.b": "0123"}, uid=uid), frozenset(needs))


def label(cluster: str) -> Key:
    return Key("label", cluster, "istio-system")


LOCK = State(
    "demo",
    "line",
    3,
    "run-3",
    {"one": identity("u1"), "two": identity("u2")},
    {ROOT: entry(), label("one"): entry(ROOT), label("two"): entry(ROOT)},
)
SMALL = to_text(State("demo", "line", 1, "run", {}, {ROOT: entry()}))


def test_a_lock_survives_being_written_and_read() -> None:
    assert from_text(to_text(LOCK), "mesh.lock") == LOCK
    assert to_text(from_text(to_text(LOCK), "mesh.lock")) == to_text(LOCK)


def test_a_lock_cut_off_anywhere_is_refused() -> None:
    whole = SMALL.rstrip("\n")  # without its last line end it says the same
    for length in range(len(whole)):
        with pytest.raises(StateError):
            from_text(whole[:length], "mesh.lock")


def test_any_flipped_bit_is_noticed() -> None:
    data = SMALL.rstrip("\n").encode()
    for index in range(len(data)):
        for bit in range(8):
            bad = data[:index] + bytes([data[index] ^ 1 << bit]) + data[index + 1 :]
            with pytest.raises((StateError, UnicodeDecodeError)):
                from_text(bad.decode(), "mesh.lock")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is not a mesh lockfile, or it is cut off"),
        ("\0" * 20, "is not a mesh lockfile"),
        ("[]", "is not a mesh lockfile"),
        ("null", "is not a mesh lockfile"),
        ("[" * 100_000, "is not a mesh lockfile"),
        ("\ufeff" + SMALL, "is not a mesh lockfile"),
        (f"<<<<<<< ours\n{SMALL}=======\n{SMALL}>>>>>>> theirs\n", "has merge conflict markers"),
        ('{"format": 2, "anything": "else"}', "has format 2, this mesh reads format 1"),
        (SMALL.replace('"serial": 1', '"serial": 2'), "its digest does not match"),
    ],
)
def test_what_is_no_lockfile_says_what_it_is_and_what_to_do(text: str, says: str) -> None:
    with pytest.raises(StateError, match=says) as caught:
        from_text(text, "mesh.lock")
    assert caught.value.hint


@given(st.text(max_size=200))
def test_no_text_breaks_the_reader(text: str) -> None:
    with pytest.raises(StateError):
        from_text(text, "mesh.lock")


@pytest.mark.parametrize(
    "change", [lambda body: body.pop("clusters"), lambda body: body.update(resources={"a": 1})]
)
def test_a_digest_does_not_excuse_a_wrong_shape(change: object) -> None:
    from mesh.state.lockfile import _digest

    body = json.loads(SMALL)
    del body["digest"]
    change(body)  # type: ignore[operator]  # a function of the table above
    with pytest.raises(StateError, match="is not a mesh lockfile"):
        from_text(json.dumps({**body, "digest": _digest(body)}), "mesh.lock")


def full() -> State:
    """A lockfile in which every field has a value."""
    last = Last(
        Place("istio-system", "x"),
        {"a.b": "0123"},
        uid="u",
        outputs={"digest": "d"},
        theirs=frozenset({"a.b"}),
        told=True,
    )
    entries = {ROOT: entry(), label("one"): Entry(last, frozenset({ROOT}))}
    return State("demo", "line", 3, "run-3", {"one": identity("u1")}, entries, written={"one": 2})


WRONG = ("text", 7, True, None, ["a"], {"a": "b"})
"""One value of each type of JSON."""


def paths(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The places of all values in a document."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        yield (*at, key)
        yield from paths(each, (*at, key))


@pytest.mark.parametrize(
    "path", [each for each in paths(json.loads(to_text(full()))) if each != ("digest",)], ids=str
)
def test_a_value_of_another_type_anywhere_is_refused_or_harmless(path: tuple[Any, ...]) -> None:
    from mesh.state.lockfile import _digest

    for wrong in WRONG:
        body = json.loads(to_text(full()))
        del body["digest"]
        inner = reduce(lambda part, key: part[key], path[:-1], body)
        inner[path[-1]] = wrong
        try:
            found = from_text(json.dumps({**body, "digest": _digest(body)}), "mesh.lock")
        except StateError:
            continue
        assert from_text(to_text(found), "mesh.lock") == found
