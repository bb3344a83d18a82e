"""The state from the clusters' copies."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mesh.engine.rebuild_state import marked_entry, rebuild, refuse_older
from mesh.engine.session import Session
from mesh.errors import MeshError, RefusedError
from mesh.istio.addresses import LICENCE
from mesh.istio.solo import LICENCE_KEY
from mesh.model import Key, Live, Place, Unknown
from mesh.planner.decisions import Decisions
from mesh.providers.secret import SecretProvider, SecretSpec
from mesh.sdk.contract import Last
from mesh.state.lockfile import Entry, State, fresh
from tests.engine.toy import carry_out, key, plan, toy, without_config_maps

LOCAL = State("demo", "one", 3, "run", entries={key("a"): Entry(Last(Place("", "a")))})


def test_a_lockfile_that_knows_more_is_kept() -> None:
    with pytest.raises(RefusedError, match=r"serial 3\) is newer than the clusters' state \(serial 2\)"):
        refuse_older(replace(LOCAL, serial=2), LOCAL)
    with pytest.raises(RefusedError, match="another lineage"):
        refuse_older(replace(LOCAL, lineage="two"), LOCAL)


def test_an_older_or_an_empty_lockfile_may_be_replaced() -> None:
    refuse_older(replace(LOCAL, serial=4), LOCAL)
    refuse_older(LOCAL, fresh("demo"))


def test_the_secret_of_a_licence_that_is_not_at_hand_is_recorded_as_it_exists(here: Session) -> None:
    """A rebuild has no licence; without the output of its Secret, every istiod would be planned again."""
    address = Key("secret", "cluster1", "licence")
    spec = SecretSpec("demo", address, "istio-system", "licence", Unknown(LICENCE))
    attrs = {"type": "Opaque", "data": {LICENCE_KEY: "digest"}}
    live = Live(attrs, "uid:1", "uid", outputs={"digest": "digest"})
    session = replace(here, kinds={"secret": SecretProvider()})
    decisions = Decisions(specs={address: spec})
    place = Place("istio-system", "licence")
    entry = marked_entry(session, decisions, Entry(Last(place)), live, address, place)
    assert entry is not None
    assert (entry.last.outputs, entry.last.uid, entry.last.status) == ({"digest": "digest"}, "uid", "ok")


def test_a_copy_that_cannot_be_read_begins_no_second_history(
    here: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    carry_out(here, plan(here, toy("a")))
    assert rebuild(here).state.lineage == here.store.read(here.mesh.name).lineage
    without_config_maps(monkeypatch, "cluster1")
    with pytest.raises(
        MeshError, match=r"copy of the state cannot be read.*cluster1: the server is overloaded"
    ):
        rebuild(here)
