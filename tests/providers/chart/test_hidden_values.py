"""Hidden values of a release: a change shows once and converges, and what was hidden stays hidden."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mesh.engine.remember import remember
from mesh.model import ABSENT, Found, Key, Live, Place, Sensitive, Step
from mesh.model.mask import reveal
from mesh.planner.step import step_for
from mesh.providers.chart import ChartProvider, ChartSpec
from mesh.providers.chart.observe import read
from mesh.providers.chart.values import hidden_of, merged, theirs_only
from mesh.sdk.contract import Last
from mesh.sdk.recorded_snapshot import RecordedSnapshot
from mesh.world import HelmJob, World
from mesh.world.clock import SystemClock
from tests.providers.chart.releases import NAMESPACE, chart, secret
from tests.support.check_server import Server

KEY = Key("chart", "a", "cni")
HERE = Place(NAMESPACE, "cni")
KIND = ChartProvider()
NOW = datetime(2026, 1, 1, tzinfo=UTC)
FIRST = {"extra": {"password": "hunter2-one", "replicas": 1}, "blob": {"a": "plain-one"}}
SECOND = {"extra": {"password": "hunter2-two", "replicas": 1}, "blob": {"a": "plain-one"}}


def spec(values: dict[str, Any], *sensitive: str) -> ChartSpec:
    return ChartSpec("demo", "cni", HelmJob("cni", NAMESPACE, "cni", "", "1.29.1", values), sensitive)


def observed(config: dict[str, Any], last: Last | None = None) -> Found:
    server: Any = Server({"secrets": [secret(chart("cni"), release="cni", config=config)]})
    snapshot = RecordedSnapshot(
        "a", World({"a": server}, {}, SystemClock(), {}, Path()), last={KEY: last} if last else {}
    )
    return read({KEY: HERE}, snapshot)[KEY]


def live(config: dict[str, Any], last: Last | None = None) -> Live:
    found = observed(config, last)
    assert isinstance(found, Live)
    return found


def decided(wanted: ChartSpec, config: dict[str, Any], last: Last | None = None) -> Step | None:
    step = step_for(KIND, wanted, KEY, live(config, last), last, NOW)
    return step if step and step.fields else None


def applied(wanted: ChartSpec, before: Last | None = None) -> Last:
    return remember(KIND, wanted, HERE, live(dict(wanted.job.values), before), before, made=True)


def test_a_changed_secret_shows_in_one_plan_and_then_never_again() -> None:
    for listed in ((), ("extra",), ("extra.password",), ("extra", "extra.password", "blob")):
        last = applied(spec(FIRST, *listed))
        assert decided(spec(FIRST, *listed), FIRST, last) is None
        step = decided(spec(SECOND, *listed), FIRST, last)
        assert step is not None
        (field,) = step.fields
        assert isinstance(field.before, Sensitive)
        assert isinstance(field.after, Sensitive)
        assert "hunter2" not in repr(step)
        again = applied(spec(SECOND, *listed), last)
        assert decided(spec(SECOND, *listed), SECOND, again) is None


def test_no_record_holds_a_digest_of_a_hidden_value() -> None:
    last = applied(spec(FIRST, "blob"))
    assert {path for path, digest in last.fields.items() if digest == "*"} == {
        "values.extra.password",
        "values.blob",
    }
    assert hidden_of(last) == {"extra.password", "blob"}
    assert hidden_of(None) == frozenset()


def test_what_the_file_no_longer_calls_sensitive_stays_hidden_while_it_is_recorded() -> None:
    last = applied(spec(FIRST, "blob"))
    assert decided(spec(FIRST), FIRST, last) is None
    other = {**FIRST, "blob": {"a": "plain-two"}}
    step = decided(spec(other), FIRST, last)
    assert step is not None
    assert [(each.path, type(each.before), type(each.after)) for each in step.fields] == [
        (("values", "blob"), Sensitive, Sensitive)
    ]
    assert applied(spec(other), last).fields["values.blob"] == "*"


def test_a_hidden_map_that_the_file_no_longer_has_is_removed_unseen() -> None:
    last = applied(spec(FIRST, "blob"))
    rest = {"extra": FIRST["extra"]}
    step = decided(spec(rest), FIRST, last)
    assert step is not None
    assert [(each.path, type(each.before), each.after) for each in step.fields] == [
        (("values", "blob"), Sensitive, ABSENT)
    ]
    there = live(FIRST, last)
    assert reveal(merged(rest, there.attrs["values"], last)) == rest
    assert reveal(theirs_only(there.attrs["values"], last)) == {}
    assert reveal(theirs_only({**FIRST, "more": 1}, last)) == {"more": 1}
