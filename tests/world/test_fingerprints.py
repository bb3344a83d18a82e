"""Fingerprints of secrets: equal for equal values of one key, and useless without it."""

from __future__ import annotations

import pytest

from mesh.errors import UsageError
from mesh.world.fingerprints import Fingerprints, LateFingerprints, given_word


def test_equal_texts_have_equal_fingerprints_under_one_key_only() -> None:
    one, other = Fingerprints(b"a" * 32), Fingerprints(b"b" * 32)
    assert one("hunter2") == Fingerprints(b"a" * 32)("hunter2")
    assert len({one("hunter2"), one("hunter3"), other("hunter2")}) == 3
    assert "hunter2" not in one("hunter2")


def test_the_key_of_the_environment_wins_and_the_stored_one_is_read_once() -> None:
    read: list[int] = []

    def stored() -> bytes:
        read.append(1)
        return b"stored"

    named = LateFingerprints({"MESH_PLAN_KEY": "0123456789abcdef"}, stored)
    late = LateFingerprints({}, stored)
    assert (named("x"), read) == (named("x"), [])
    assert late("x") == late("x") == Fingerprints(b"stored")("x") != named("x")
    assert read == [1]


def test_without_any_key_the_fingerprints_hold_for_one_command() -> None:
    one, other = LateFingerprints({}, bytes), LateFingerprints({}, bytes)
    assert one("x") == one("x") != other("x")


def test_a_short_key_is_refused_without_being_told() -> None:
    with pytest.raises(UsageError, match="MESH_PLAN_KEY has 6 characters") as error:
        LateFingerprints({"MESH_PLAN_KEY": "secret"}, bytes)("x")
    assert "secret" not in str(error.value)


def test_a_key_in_the_environment_gives_a_word_of_its_own_for_each_mesh() -> None:
    env = {"MESH_PLAN_KEY": "the same in both pipelines"}
    one = given_word("demo", env)
    assert len(one) == 32
    assert one == given_word("demo", dict(env)) != given_word("prod", env)
    assert given_word("demo", {}) == b""
    with pytest.raises(UsageError, match="at least 16"):
        given_word("demo", {"MESH_PLAN_KEY": "short"})
