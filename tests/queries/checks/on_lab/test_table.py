"""Each check against the tests that break a real cluster so that it fails, and fix it so that it passes.

What a test says of itself is held against what it saw, by the mark `breaks`: see `tests.support.seen`.
"""

from __future__ import annotations

import pytest

from mesh.queries.checks.catalog import BY_ID
from mesh.queries.checks.model import CheckStatus
from tests.e2e import test_guide_c, test_upstream
from tests.queries.checks.on_lab import test_broken, test_dataplane, test_istioctl, test_way
from tests.support import seen

MODULES = (test_broken, test_dataplane, test_istioctl, test_way, test_guide_c, test_upstream)
PASSED, FAILED = CheckStatus.PASSED.value, CheckStatus.FAILED.value


def test_every_check_has_a_test_that_breaks_a_cluster_and_fixes_it() -> None:
    broken = {check for module in MODULES for check in seen.broken_by(module)}
    assert sorted(BY_ID.keys() - broken) == []
    assert sorted(broken - BY_ID.keys()) == []


@pytest.mark.parametrize(
    ("came", "lacking"),
    [
        ([], ["P01"]),
        ([PASSED], ["P01"]),
        ([FAILED], ["P01"]),
        ([PASSED, FAILED], ["P01"]),
        ([FAILED, CheckStatus.SKIPPED.value], ["P01"]),
        ([FAILED, CheckStatus.NOT_APPLICABLE.value], ["P01"]),
        ([FAILED, PASSED], []),
    ],
)
def test_only_what_failed_and_then_passed_was_shown(came: list[str], lacking: list[str]) -> None:
    seen.SEEN.extend(("P01", state) for state in came)
    assert seen.not_shown(["P01"]) == lacking
