"""`mesh history`: what each cluster stores, and why one could not be read."""

from __future__ import annotations

import json

from mesh.cli.history import _read
from mesh.engine.session import Session
from mesh.state.history import PastRun, to_text
from mesh.state.slices import HISTORY_KEY, name_of
from tests.cli.unreachable import Unreachable
from tests.engine.toy import toys

RUN = PastRun(
    "r1", 1, "apply", "ada", "laptop", "2026-01-01T00:00:00Z", "2026-01-01T00:01:00Z", "", "complete"
)


def store(here: Session, cluster: str, text: str) -> None:
    meta = {"name": name_of("demo"), "namespace": "istio-system"}
    toys(here.world, cluster).apply({"kind": "ConfigMap", "metadata": meta, "data": {HISTORY_KEY: text}})


def test_a_cluster_without_a_history_has_no_runs(here: Session) -> None:
    store(here, "cluster1", to_text([RUN]))
    assert _read(here) == {"cluster1": (RUN,), "cluster2": ()}


def test_a_damaged_history_does_not_hide_that_of_another_cluster(here: Session) -> None:
    store(here, "cluster1", to_text([RUN]))
    store(here, "cluster2", "{")
    found = _read(here)
    assert found["cluster1"] == (RUN,)
    assert isinstance(found["cluster2"], str)
    assert "cluster2" in found["cluster2"]


def test_clusters_that_do_not_answer_are_named_in_text_and_json(unreachable: Unreachable) -> None:
    text = unreachable("history", "--steps")
    assert (text.code, text.out.count("could not be read")) == (6, 3)
    assert text.out.startswith("The history could not be read.")
    data = json.loads(unreachable("history", "--json").out)
    assert "https://127.0.0.1:1 cannot be reached" in json.dumps(data)
