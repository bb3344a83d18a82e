"""A report of checks as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mesh.cli.views.colour import Paint, Style, painter
from mesh.cli.views.escape import terminal
from mesh.model import NO_CLUSTER
from mesh.queries.checks.facts import MeshFacts
from mesh.queries.checks.model import Check, CheckReport, CheckResult, CheckStatus, Severity
from mesh.queries.checks.run import fix_of, word_for

FORMAT_VERSION = "1.0"

Json = dict[str, Any]

_SIGNS: dict[CheckStatus, tuple[str, Style]] = {
    CheckStatus.PASSED: ("ok", "green"),
    CheckStatus.SKIPPED: ("skipped", "dim"),
    CheckStatus.NOT_APPLICABLE: ("-", "dim"),
}
_LEVELS: dict[Severity, Style] = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}


def report_text(scene: MeshFacts, report: CheckReport, *, colour: bool) -> str:
    """Return one line for each check, its findings below it, and the counts last."""
    paint = painter(colour=colour)
    lines = [line for check, results in by_check(report) for line in _check(scene, check, results, paint)]
    return "\n".join([*lines, "", paint(summary(report), "bold")]) + "\n"


def by_check(report: CheckReport) -> Iterator[tuple[Check, list[CheckResult]]]:
    """Yield each check with its results, in the order of the catalog."""
    together: dict[str, list[CheckResult]] = {}
    for result in report.results:
        together.setdefault(result.check.id, []).append(result)
    for results in together.values():
        yield results[0].check, results


def _check(scene: MeshFacts, check: Check, results: list[CheckResult], paint: Paint) -> Iterator[str]:
    word, style = _verdict(results)
    # A title is true when the check passes: above findings it must not read as a statement.
    expected = "expected: " if any(result.findings for result in results) else ""
    yield f"{check.id}  {paint(f'{word:8}', style)}  {expected}{check.title}{_reason(results)}"
    for result in results:
        where = "" if result.cluster == NO_CLUSTER else f"{terminal(result.cluster)}: "
        for finding in result.findings:
            level = finding.severity or check.severity
            yield f"       {paint(level.value, _LEVELS[level])}: {where}{terminal(finding.says)}"
            fix = fix_of(scene, result, finding)
            yield f"         {word_for(fix)}: {terminal(fix)}"
    if any(result.findings for result in results):
        yield f"         see:  {check.page}"


def _verdict(results: list[CheckResult]) -> tuple[str, Style]:
    """Return the worst outcome of all clusters and its colour."""
    worst = [result.severity for result in results]
    for level in Severity:
        if level in worst:
            return level.value, _LEVELS[level]
    for state in (CheckStatus.SKIPPED, CheckStatus.PASSED):
        if any(result.state is state for result in results):
            return _SIGNS[state]
    return _SIGNS[CheckStatus.NOT_APPLICABLE]


def _reason(results: list[CheckResult]) -> str:
    """Return why the check was skipped or is not applicable, in parentheses; "" if neither."""
    skipped = [result for result in results if result.state is CheckStatus.SKIPPED]
    shown = skipped or (results if all(each.state is CheckStatus.NOT_APPLICABLE for each in results) else [])
    reasons = dict.fromkeys(each.why for each in shown)
    if not reasons:
        return ""
    names = ", ".join(each.cluster for each in skipped)
    where = f" in {names}" if skipped and len(skipped) < len(results) else ""
    return f" ({'skipped' + where + ': ' if where else ''}{terminal('; '.join(reasons))})"


def summary(report: CheckReport) -> str:
    """Return the line of counts; skipped checks never count as passed."""
    levels = {level: len(report.failed(level)) for level in Severity}
    failed = [f"{count} {level.value}{'s' * (count != 1)}" for level, count in levels.items() if count]
    parts = [
        f"{report.count(CheckStatus.PASSED)} passed",
        ", ".join(failed) or "0 errors",
        f"{report.count(CheckStatus.SKIPPED)} skipped",
        f"{report.count(CheckStatus.NOT_APPLICABLE)} not applicable",
    ]
    return f"Checks of mesh {terminal(report.mesh)}: {', '.join(parts)}."


def report_json(scene: MeshFacts, report: CheckReport) -> Json:
    """Return the report as JSON data; an addition raises the minor version of the format."""
    return {
        "format_version": FORMAT_VERSION,
        "mesh": report.mesh,
        "summary": {
            "passed": report.count(CheckStatus.PASSED),
            "failed": {level.value: len(report.failed(level)) for level in Severity},
            "skipped": report.count(CheckStatus.SKIPPED),
            "not_applicable": report.count(CheckStatus.NOT_APPLICABLE),
        },
        "results": [_result(scene, each) for each in report.results],
    }


def _result(scene: MeshFacts, result: CheckResult) -> Json:
    check = result.check
    return {
        "id": check.id,
        "title": check.title,
        "phases": sorted(phase.value for phase in check.phases),
        "cluster": result.cluster,
        "state": result.state.value,
        "severity": result.severity.value if result.severity else None,
        "why": result.why,
        "doc": check.page,
        "findings": [
            {
                "severity": (finding.severity or check.severity).value,
                "says": finding.says,
                "evidence": plain(finding.evidence),
                "address": str(finding.about) if finding.about else None,
                "fix": fix_of(scene, result, finding),
            }
            for finding in result.findings
        ],
    }


def plain(value: Any) -> Any:
    """Return evidence as JSON values."""
    if isinstance(value, dict):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(each) for each in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)
