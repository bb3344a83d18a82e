"""The types of a check: the severity of a result, the counts of a report, the page."""

from __future__ import annotations

import pytest

from mesh.queries.checks.catalog import BY_ID
from mesh.queries.checks.model import CheckReport, CheckResult, CheckStatus, Finding, Severity

WARNS = BY_ID["P03"]


def result(*findings: Finding, state: CheckStatus = CheckStatus.FAILED) -> CheckResult:
    return CheckResult(WARNS, "cluster1", state, findings=findings)


@pytest.mark.parametrize(
    ("findings", "severity"),
    [
        ((), None),
        ((Finding("a"),), Severity.WARNING),
        ((Finding("a", severity=Severity.INFO),), Severity.INFO),
        ((Finding("a", severity=Severity.INFO), Finding("b", severity=Severity.ERROR)), Severity.ERROR),
    ],
)
def test_a_result_is_as_severe_as_its_worst_finding(
    findings: tuple[Finding, ...], severity: Severity | None
) -> None:
    assert result(*findings).severity is severity


def test_a_report_counts_results_by_outcome_and_by_severity() -> None:
    warned, passed = result(Finding("a"), Finding("b")), result(state=CheckStatus.PASSED)
    report = CheckReport("demo", (warned, passed))
    assert report.failed(Severity.WARNING) == (warned,)
    assert report.failed(Severity.ERROR) == ()
    assert report.count(CheckStatus.PASSED) == report.count(CheckStatus.FAILED) == 1


def test_the_page_of_a_check_has_its_id() -> None:
    assert WARNS.page == "docs/checks/P03.md"
