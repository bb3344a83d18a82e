"""`--stepwise`: one run for each version, up to the first that fails."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mesh.cli import stepwise
from mesh.cli.run_request import RunRequest
from mesh.errors import UsageError
from tests.cli.requests import APPLY
from tests.cli.unreachable import Unreachable

WAY = ("1.28.0-solo", "1.29.0-solo", "1.30.2-solo")


@pytest.fixture
def way(unreachable: Unreachable, monkeypatch: pytest.MonkeyPatch) -> Unreachable:
    """Stand for clusters that run 1.27, which no cluster here can report."""
    monkeypatch.setattr(stepwise, "stops", lambda _session: WAY)
    return unreachable


@pytest.mark.usefixtures("way")
def test_only_the_last_run_uses_the_version_of_the_file(capsys: pytest.CaptureFixture[str]) -> None:
    runs: list[RunRequest] = []
    assert stepwise.one_by_one(APPLY, lambda one: runs.append(one) or 0) == 0
    assert [one.stop_at for one in runs] == [(WAY[0],), (WAY[1],), ()]
    assert capsys.readouterr().err.splitlines() == [
        f"Istio {version}: step {at} of 3" for at, version in enumerate(WAY, 1)
    ]


@pytest.mark.usefixtures("way")
def test_no_version_is_applied_after_one_that_failed() -> None:
    codes = iter([0, 6])
    assert stepwise.one_by_one(APPLY, lambda _one: next(codes)) == 6
    assert next(codes, None) is None


@pytest.mark.usefixtures("way")
def test_a_digest_cannot_approve_several_plans() -> None:
    with pytest.raises(UsageError, match="--plan-digest approves one plan"):
        stepwise.one_by_one(replace(APPLY, digest="sha256:00"), lambda _one: 0)


@pytest.mark.usefixtures("unreachable")
def test_without_an_installed_version_there_is_one_run_as_without_the_option(
    capsys: pytest.CaptureFixture[str],
) -> None:
    runs: list[RunRequest] = []
    request = replace(APPLY, digest="sha256:00")
    assert stepwise.one_by_one(request, lambda one: runs.append(one) or 4) == 4
    assert runs == [request]
    assert capsys.readouterr().err == ""
