"""`mesh state` corrects the state without a cluster."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from mesh.cli.session import store_of
from mesh.errors import UsageError
from mesh.model import Key, Place
from mesh.sdk.contract import Last
from mesh.state.lockfile import Entry
from tests.cli.offline import EXAMPLE, offline

ONE, TWO = Key("label", "cluster1", "istio-system"), Key("label", "cluster2", "istio-system")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A mesh file beside a state with one label in each cluster."""
    path = tmp_path / "mesh.yaml"
    shutil.copyfile(EXAMPLE, path)
    store = store_of(path)
    entries = {
        key: Entry(Last(Place("", key.name), {}, created=True, uid="uid"), frozenset()) for key in (ONE, TWO)
    }
    store.rewrite(replace(store.read("demo"), entries=entries, serial=1))
    return path


def test_forgotten_resources_leave_the_state_and_the_others_stay(file: Path) -> None:
    result = offline("state", "forget", "-f", str(file), str(ONE), "--yes")
    assert result.output.endswith("1 resources forgotten\n")
    assert set(store_of(file).read("demo").entries) == {TWO}


def test_nothing_to_forget_is_a_usage_error(file: Path) -> None:
    with pytest.raises(UsageError, match="nothing to forget"):
        offline("state", "forget", "-f", str(file))


def test_an_address_that_is_not_in_the_state_is_refused(file: Path) -> None:
    with pytest.raises(UsageError, match=r"not in mesh\.lock: link/cluster1/cluster2") as error:
        offline("state", "forget", "-f", str(file), "link/cluster1/cluster2", "--yes")
    assert error.value.hint == "run mesh state show to list what is"


def test_without_a_terminal_the_question_cannot_be_asked(file: Path) -> None:
    with pytest.raises(UsageError, match="cannot ask for confirmation: not a terminal"):
        offline("state", "forget", "-f", str(file), str(ONE))
    assert set(store_of(file).read("demo").entries) == {ONE, TWO}


def test_help_says_that_nothing_that_runs_changes() -> None:
    assert "change no running resources" in offline("state", "--help").output
