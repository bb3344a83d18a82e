"""A report of checks as SARIF 2.1.0, for tools that show findings next to the code.

Source: OASIS, Static Analysis Results Interchange Format (SARIF) Version 2.1.0.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mesh import __version__
from mesh.cli.views.checks import by_check, plain
from mesh.model import NO_CLUSTER
from mesh.queries.checks.facts import MeshFacts
from mesh.queries.checks.model import Check, CheckReport, CheckResult, Finding, Severity
from mesh.queries.checks.run import fix_of, word_for

Json = dict[str, Any]

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


def report_sarif(scene: MeshFacts, report: CheckReport) -> Json:
    """Return the log: a rule for each check, a result for each finding, at its cluster's line of the file."""
    rules = [_rule(check) for check, _ in by_check(report)]
    places = {rule["id"]: index for index, rule in enumerate(rules)}
    found = [
        _result(scene, result, finding, places[result.check.id])
        for result in report.results
        for finding in result.findings
    ]
    driver = {"name": "mesh", "version": __version__, "rules": rules}
    run = {"tool": {"driver": driver}, "results": found, "columnKind": "unicodeCodePoints"}
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(check: Check) -> Json:
    return {
        "id": check.id,
        "name": check.id,
        "shortDescription": {"text": check.title},
        "help": {"text": f"{word_for(check.fix)}: {check.fix}; see {check.page}"},
        "defaultConfiguration": {"level": LEVELS[check.severity]},
    }


def _result(scene: MeshFacts, result: CheckResult, finding: Finding, rule: int) -> Json:
    where = "" if result.cluster == NO_CLUSTER else f"{result.cluster}: "
    fix = fix_of(scene, result, finding)
    return {
        "ruleId": result.check.id,
        "ruleIndex": rule,
        "level": LEVELS[finding.severity or result.check.severity],
        "message": {"text": f"{where}{finding.says} ({word_for(fix)}: {fix})"},
        "locations": [_location(scene, result.cluster)],
        "partialFingerprints": {
            "mesh/v1": f"{result.check.id}/{result.cluster}/{finding.about or finding.says}"
        },
        "properties": {"cluster": result.cluster, "evidence": plain(dict(finding.evidence))},
    }


def _location(scene: MeshFacts, cluster: str) -> Json:
    """Return the place of the cluster in the mesh file, or the file."""
    facts = scene.clusters.get(cluster)
    origin = facts.cluster.origin if facts else None
    name = Path(scene.mesh.file or "mesh.yaml").name
    physical: Json = {"artifactLocation": {"uri": name}}
    if origin and origin.line:
        physical["region"] = {"startLine": origin.line, "startColumn": max(origin.col, 1)}
    return {"physicalLocation": physical, "logicalLocations": [{"name": cluster, "kind": "module"}]}
