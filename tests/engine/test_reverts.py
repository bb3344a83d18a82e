"""A failed step remembers what it may have written: the file alone says where the next apply ends."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesh.engine.run_options import RunOptions
from mesh.engine.session import Session
from mesh.engine.verbs import apply
from mesh.errors import RefusedError, StalePlanError
from mesh.model import ABSENT, Key
from mesh.queries.explain import why
from mesh.world import HelmJob
from mesh.world.resources import SECRET
from tests.engine.every_kind import (
    OLD,
    SPACE,
    Wish,
    carry_out,
    found,
    healthy,
    memory,
    open_session,
    plan,
    wishes,
)
from tests.support.memory import FAILS, KILLED, KILLED_AFTER, LOST, REFUSED, release_secret

fates = st.dictionaries(st.integers(0, 8), st.sampled_from([REFUSED, LOST, KILLED, KILLED_AFTER]), max_size=3)


def fresh(folders: Path) -> Session:
    return open_session(Path(tempfile.mkdtemp(dir=folders)))


@settings(max_examples=12, deadline=None)
@given(runs=st.lists(st.tuples(wishes, fates), min_size=1, max_size=4), last=wishes)
def test_after_any_edits_and_failures_one_apply_ends_where_the_file_says(
    folders: Path, runs: list[tuple[Wish, dict[int, str]]], last: Wish
) -> None:
    # CRDs are never taken back to an older bundle, nor is a part of a newer one completed by an older one.
    newest = max([last["crds"], *(wish["crds"] for wish, _ in runs)])
    here, there, last = fresh(folders), fresh(folders), {**healthy(last), "crds": newest}
    for wish, troubles in runs:
        with suppress(RefusedError):
            carry_out(here, wish, troubles)
    for session in (here, there):
        result = carry_out(session, last)
        assert result is not None
        assert not result.failed, [result.outcomes[each].error for each in result.failed]
        assert plan(session, last).plan.empty
    assert found(here, last) == found(there, last)


CHANGED = {"labels": {"one": "x"}, "annotations": {"two": "y"}, "port": 2}
NEW: Wish = {
    "label": "net2",
    "secret": "licence two",
    "crds": "v1.3.0",
    "cacerts": 180,
    "istiod": {"a": 1, "b": {"c": 1}},
    "base": {"a": 1, "b": {"c": 1}},
    "cni": {"a": 0, "b": {"d": 2}},
    "gateway": CHANGED,
    "link": CHANGED,
    "budget": CHANGED,
}


@pytest.mark.parametrize("fate", [LOST, KILLED_AFTER])
def test_a_write_of_which_nothing_is_known_is_reverted_wherever_the_run_ended(
    folders: Path, fate: str
) -> None:
    here = fresh(folders)
    assert carry_out(here, OLD)
    before = found(here, OLD)
    for write in range(10):
        carry_out(here, NEW, {write: fate})
        result = carry_out(here, OLD)
        assert result is not None
        assert not result.failed
        assert found(here, OLD) == before, write


def test_why_knows_a_value_that_only_a_failed_step_wrote_as_set_by_mesh(folders: Path) -> None:
    here, istiod = fresh(folders), Key("chart", "cluster1", "istiod")
    carry_out(here, OLD)
    failed = carry_out(here, {**OLD, "istiod": {"a": 0, FAILS: True}})
    assert failed is not None
    assert failed.failed == (istiod,)
    planned = plan(here, OLD)
    (step,) = planned.plan.steps
    assert [(each.dotted, each.before, each.after) for each in step.fields] == [
        ("values.fails", True, ABSENT)
    ]
    said = why(istiod, planned.inputs, planned.decisions, here.kinds, ())
    assert {each.path: each.word for each in said.facts}["values", FAILS] == "to go"


def test_what_was_refused_before_the_write_is_not_remembered_as_written(folders: Path) -> None:
    here, istiod = fresh(folders), Key("chart", "cluster1", "istiod")
    carry_out(here, OLD)
    planned = plan(here, {**OLD, "istiod": {"a": 1}})
    before = here.store.read("demo").entries[istiod]
    memory(here).put(SECRET, release_secret(HelmJob("istiod", SPACE, "istiod", "", "1.1.0", {"b": 2}), 9))
    result = apply(here, planned, RunOptions(timeout=5))
    assert isinstance(result.outcomes[istiod].error, StalePlanError)
    assert here.store.read("demo").entries[istiod] == before
