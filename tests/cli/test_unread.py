"""What a command could not read."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mesh.cli.unread import refuse_blind, refuse_incomplete, refuse_unread
from mesh.cli.views.plan_text import plan_text
from mesh.errors import MeshError, PartialError
from mesh.model import Deferral, Key, Plan

NOTHING = Plan("demo", (), 0, "", {"one": "uid", "two": ""})
HALF = replace(
    NOTHING, unread={"two": "refused"}, deferred=(Deferral(Key("chart", "two", "cni"), "refused"),)
)


def test_a_plan_of_clusters_that_were_all_read_is_complete() -> None:
    refuse_blind(NOTHING)
    refuse_incomplete(NOTHING)
    refuse_unread({})


def test_a_plan_without_a_part_of_the_mesh_is_incomplete() -> None:
    refuse_blind(HALF)
    with pytest.raises(PartialError, match=r"cluster two could not be read completely \(1 deferred\)"):
        refuse_incomplete(HALF)
    lost = replace(HALF, deferred=())
    with pytest.raises(PartialError, match="what mesh has there is not known"):
        refuse_incomplete(lost)
    assert "No changes" not in plan_text(lost, colour=False, width=80)


def test_a_plan_of_no_cluster_is_an_error() -> None:
    with pytest.raises(MeshError, match="one: no route\ntwo: refused"):
        refuse_blind(replace(HALF, unread={"one": "no route", "two": "refused"}))


def test_each_reason_is_given_once() -> None:
    with pytest.raises(PartialError, match=r"could not be read: a, b: no route; c: refused"):
        refuse_unread({"a": "no route", "c": "refused", "b": "no route"})


def test_a_destroy_of_nothing_has_terraforms_words() -> None:
    text = plan_text(replace(NOTHING, destroying=True), colour=False, width=80)
    assert text == "No changes. No objects need to be destroyed.\n"
