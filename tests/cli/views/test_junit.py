"""A report of checks as JUnit XML."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from mesh.cli.views.junit import report_junit
from tests.cli.views.check_reports import report


def test_junit_is_xml_in_which_skipped_is_not_passed() -> None:
    suites = ET.fromstring(report_junit(*report()))
    assert suites.attrib == {
        "name": "demo",
        "tests": "6",
        "failures": "2",
        "errors": "0",
        "skipped": "3",
    }
    assert {suite.attrib["name"] for suite in suites} == {"cluster1", "cluster2"}
    assert len(suites.findall(".//testcase[failure]")) == 2
    assert len(suites.findall(".//testcase[skipped]")) == 3
