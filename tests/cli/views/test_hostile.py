"""Hostile text through every view: nothing that comes out acts on a terminal, in a log or on a reader."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

import pytest

from mesh.cli.views.checks import report_json, report_text
from mesh.cli.views.errors import error_text
from mesh.cli.views.graph import dot, mermaid
from mesh.cli.views.history import history_json, history_text
from mesh.cli.views.junit import report_junit
from mesh.cli.views.manifests import manifests_text
from mesh.cli.views.outputs import outputs_text
from mesh.cli.views.plan_html import plan_html
from mesh.cli.views.plan_json import json_text, plan_json
from mesh.cli.views.plan_markdown import plan_markdown
from mesh.cli.views.plan_text import plan_text
from mesh.cli.views.progress import Event, JsonProgress, PlainProgress, StepPhase
from mesh.cli.views.result import Failure, RunSummary, result_text
from mesh.cli.views.sarif import report_sarif
from mesh.cli.views.status import status_json, status_text
from mesh.config.starter import StarterCluster, starter
from mesh.errors import InputError, MeshError, Problem
from mesh.istio.names import NETWORK
from mesh.model import (
    ABSENT,
    Action,
    Deferral,
    Field,
    Key,
    Left,
    ManifestChange,
    Plan,
    Reason,
    Step,
    Touch,
)
from mesh.queries.status.model import ClusterStatus, Status
from mesh.sdk.document import Document
from mesh.state.history import HistoryEntry, PastRun, PastStep
from mesh.world.yaml_documents import read, write
from tests.support.check_facts import asked, facts, scene, space
from tests.support.evil_text import EVIL, acting

KEY = Key("link", "one", "two")


def plan(text: str) -> Plan:
    key, touch = Key("link", text, text), Touch((text,), text, text)
    fields = (
        Field((text, "x"), f"a\n{text}\nb\n", f"a\n{text}\nc\n", touch),
        Field((text,), ABSENT, {text: [text]}),
        Field(("y",), text, ABSENT),
    )
    manifests = (
        ManifestChange(text, Action.UPDATE, fields),
        ManifestChange(text, Action.CREATE),
        ManifestChange(text, Action.DELETE),
    )
    steps = tuple(
        Step(action, key, Reason.DRIFT, fields, notes=(text,), manifests=manifests, why=text)
        for action in (Action.UPDATE, Action.DELETE, Action.CREATE, Action.READ)
    )
    left = (Left(key, text, text),)
    deferred = (Deferral(key, text),)
    return Plan(text, steps, 1, text, {text: text}, deferred, 1, (text,), text, (text,), (text,), left)


def checks(text: str) -> Iterator[str]:
    spaces = [space("istio-system", **{NETWORK: text})]
    one = scene(facts(namespaces=spaces, gateways=[], services=[]), facts("cluster2", unreachable=text))
    found = one, asked(one, "P01", "P23", "P24")
    yield report_text(*found, colour=False)
    yield report_junit(*found)
    yield json_text(report_json(*found))
    yield json_text(report_sarif(*found))


def progress(text: str) -> Iterator[str]:
    class Still:
        def now(self) -> datetime:
            return datetime(2026, 1, 1, tzinfo=UTC)

        def monotonic(self) -> float:
            return 0.0

    for kind in (PlainProgress, JsonProgress):
        out = io.StringIO()
        observer = kind(out, Still())
        for phase in StepPhase:
            observer.event(Event(text, f"link/{text}/x", Action.UPDATE, phase, text, 1.0, text))
        observer.note(text)
        yield out.getvalue()


def history(text: str) -> Iterator[str]:
    steps = (PastStep(text, text),)
    run = PastRun(text, 1, text, text, text, text, text, text, "complete", steps)
    entries = [HistoryEntry(run, (text,))]
    yield history_text(entries, {text: text}, steps=True)
    yield json_text(history_json(text, entries, {text: text}))


def errors(text: str) -> Iterator[str]:
    yield error_text(MeshError(f"one {text}\n{text}", hint=text))
    problem = InputError((Problem(text, 1, 1, text, text, text),))
    yield error_text(problem)
    yield error_text(problem, source=lambda _file: text)


def others(text: str) -> Iterator[str]:
    key = Key("link", text, text)
    status = Status(text, (ClusterStatus(text, text, text, text, unreachable=text),), (text,))
    yield status_text(status, colour=False)
    yield json_text(status_json(status))
    summary = RunSummary("apply", failures=(Failure(text, f"{text}\n{text}", text),), skipped=((text, text),))
    yield result_text(replace(summary, deferred=((text, text),), end="incomplete", resume=text), colour=False)
    yield dot({key: frozenset({key})})
    yield mermaid({key: frozenset({key})})
    yield manifests_text({key: [Document({text: [text], "data": {"x": f"{text}\n"}}, (text,))]})
    yield outputs_text({text: text, "pem": f"{text}\nx\n", "map": {text: text}})
    yield starter("a", [StarterCluster("a", text)], kubeconfig=text)


def plans(text: str) -> Iterator[str]:
    yield plan_text(plan(text), colour=False, width=100)
    yield plan_markdown(plan(text)).replace("\u200d", "")  # the joiner that splits mentions
    yield json_text(plan_json(plan(text)))
    yield plan_html(plan(text))


@pytest.mark.parametrize("view", [plans, checks, progress, history, errors, others])
@pytest.mark.parametrize("text", EVIL)
def test_no_view_prints_text_that_acts(view: Callable[[str], Iterator[str]], text: str) -> None:
    for printed in view(text):
        assert acting(printed) == [], printed
        if printed.startswith("{"):
            assert printed.isascii()
            for line in [printed] if "\n  " in printed else printed.splitlines():
                json.loads(line)
        if printed.startswith("<?xml"):
            ET.fromstring(printed)


@pytest.mark.parametrize("text", EVIL)
def test_yaml_says_the_same_and_acts_on_nothing(text: str) -> None:
    body = {"a": text, "b": [text, f"{text}\n{text}\n"], "c": {text: text}}
    assert read(write(body)) == body
    assert acting(write(body)) == []


def test_the_judge_sees_every_kind_of_text_that_acts() -> None:
    assert all(acting(text) for text in EVIL[:-1])
