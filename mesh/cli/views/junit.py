"""A report of checks as JUnit XML: one suite for each cluster, one case for each check."""

from __future__ import annotations

from collections.abc import Iterator
from xml.sax.saxutils import escape, quoteattr

from mesh.cli.views.escape import terminal
from mesh.model import NO_CLUSTER
from mesh.queries.checks.facts import MeshFacts
from mesh.queries.checks.model import CheckReport, CheckResult, CheckStatus
from mesh.queries.checks.run import fix_of, word_for


def report_junit(scene: MeshFacts, report: CheckReport) -> str:
    """Return the document. Warnings fail their case too; the failure's `type` is the severity."""
    clusters = dict.fromkeys(result.cluster for result in report.results)
    suites = [_suite(scene, cluster, report) for cluster in clusters]
    counts = _counts(report.results)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name={_attribute(report.mesh)} {counts}>\n'
        + "".join(suites)
        + "</testsuites>\n"
    )


def _suite(scene: MeshFacts, cluster: str, report: CheckReport) -> str:
    results = tuple(result for result in report.results if result.cluster == cluster)
    name = report.mesh if cluster == NO_CLUSTER else cluster
    cases = "".join(line for result in results for line in _case(scene, name, result))
    return f"  <testsuite name={_attribute(name)} {_counts(results)}>\n{cases}  </testsuite>\n"


def _counts(results: tuple[CheckResult, ...]) -> str:
    failed = sum(each.state is CheckStatus.FAILED for each in results)
    skipped = sum(each.state in {CheckStatus.SKIPPED, CheckStatus.NOT_APPLICABLE} for each in results)
    return f'tests="{len(results)}" failures="{failed}" errors="0" skipped="{skipped}"'


def _case(scene: MeshFacts, suite: str, result: CheckResult) -> Iterator[str]:
    head = f"classname={_attribute(suite)} name={_attribute(f'{result.check.id} {result.check.title}')}"
    if result.state is CheckStatus.PASSED:
        yield f"    <testcase {head}/>\n"
        return
    yield f"    <testcase {head}>\n"
    if result.state is not CheckStatus.FAILED:
        yield f"      <skipped message={_attribute(f'{result.state.value}: {result.why}')}/>\n"
    for finding in result.findings:
        level = (finding.severity or result.check.severity).value
        fix = fix_of(scene, result, finding)
        text = f"{finding.says}\n{word_for(fix)}: {fix}\nsee: {result.check.page}"
        kind = f"type={_attribute(level)} message={_attribute(finding.says)}"
        yield f"      <failure {kind}>{_text(text)}</failure>\n"
    yield "    </testcase>\n"


def _text(text: str) -> str:
    """Return the lines of an element; each is safe to print by itself."""
    return "\n".join(escape(terminal(line)) for line in text.split("\n"))


def _attribute(text: str) -> str:
    return quoteattr(terminal(text))
