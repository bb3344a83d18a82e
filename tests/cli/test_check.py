"""`mesh check` where no cluster answers: exit codes and formats."""

from __future__ import annotations

import json
from xml.etree import ElementTree as ET

import pytest

from mesh.cli.check import _planned
from mesh.engine.session import Session
from mesh.model import Unread
from tests.cli.unreachable import Unreachable


def test_errors_end_with_5_in_every_format(unreachable: Unreachable) -> None:
    text = unreachable("check", "--phase", "pre")
    assert (text.code, "Checks of mesh demo: " in text.out) == (5, True)
    sarif = unreachable("check", "--format", "sarif")
    assert (sarif.code, json.loads(sarif.out)["version"]) == (5, "2.1.0")
    junit = unreachable("check", "--format", "junit")
    assert (junit.code, ET.fromstring(junit.out).tag) == (5, "testsuites")


def test_json_is_the_short_form_of_the_json_format(unreachable: Unreachable) -> None:
    short, long = unreachable("check", "--json"), unreachable("check", "--format", "json")
    assert short.code == long.code == 5
    assert [json.loads(each.out)["mesh"] for each in (short, long)] == ["demo", "demo"]


def test_an_unknown_check_is_a_usage_error(unreachable: Unreachable) -> None:
    answer = unreachable("check", "--only", "P99")
    assert (answer.code, answer.out) == (64, "")
    assert "unknown check 'P99'" in answer.err


def test_without_a_licence_the_checks_run_and_know_why_there_is_no_plan(
    here: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GLOO_MESH_LICENSE_KEY", raising=False)
    found = _planned(here)
    assert isinstance(found, Unread)
    assert found.why.startswith("there is no plan: ")
    assert "GLOO_MESH_LICENSE_KEY" in found.why
