"""Confirmation needs a terminal, `--yes`, or the names of the clusters."""

from __future__ import annotations

import pytest

from mesh.cli.confirm import confirm, refuse_unknown
from mesh.errors import UsageError


def test_yes_needs_no_question(capsys: pytest.CaptureFixture[str]) -> None:
    confirm("Go?", yes=True)
    assert capsys.readouterr().out == ""


def test_without_a_terminal_the_message_names_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="cannot ask for confirmation: not a terminal") as error:
        confirm("Go?", yes=False)
    assert error.value.hint == "add --yes, or run in a terminal"


def test_the_name_of_no_cluster_is_refused() -> None:
    with pytest.raises(UsageError, match="--confirm x: there is no cluster x"):
        refuse_unknown(("x",), ("a", "b"))
