"""A report of checks as SARIF."""

from __future__ import annotations

from mesh.cli.views.sarif import report_sarif
from tests.cli.views.check_reports import report


def test_sarif_points_at_the_cluster_in_the_mesh_file() -> None:
    log = report_sarif(*report())
    results = log["runs"][0]["results"]
    assert log["version"] == "2.1.0"
    assert {each["ruleId"] for each in results} == {"P01", "P23"}
    where = results[-1]["locations"][0]["physicalLocation"]
    assert where["artifactLocation"] == {"uri": "mesh.yaml"}
    assert where["region"]["startLine"] > 1
