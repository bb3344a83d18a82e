"""A report of checks as text and as JSON."""

from __future__ import annotations

import json

from mesh.cli.views.checks import report_json, report_text
from tests.cli.views.check_reports import report


def test_text_says_what_is_wrong_how_to_fix_it_and_counts_apart() -> None:
    text = report_text(*report(), colour=False)
    assert "\x1b" not in text
    assert "P23  error     expected: network labels match" in text
    assert "error: cluster1: namespace istio-system has topology.istio.io/network=a" in text
    assert "see:  docs/checks/P23.md" in text
    assert text.endswith("Checks of mesh demo: 1 passed, 2 errors, 1 skipped, 2 not applicable.\n")


def test_json_holds_the_evidence_and_the_states() -> None:
    data = json.loads(json.dumps(report_json(*report())))
    assert data["summary"] == {
        "passed": 1,
        "failed": {"error": 2, "warning": 0, "info": 0},
        "skipped": 1,
        "not_applicable": 2,
    }
    found = next(each for each in data["results"] if each["id"] == "P23" and each["state"] == "failed")
    assert found["doc"] == "docs/checks/P23.md"
    assert found["findings"][0]["evidence"]["expected"] == "cluster1"
    assert found["findings"][0]["address"] == "label/cluster1/istio-system"
