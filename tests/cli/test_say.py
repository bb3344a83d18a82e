"""Messages of commands: what comes from files and clusters is escaped."""

from __future__ import annotations

import pytest

from mesh.cli.say import say


def test_a_message_keeps_its_lines_and_acts_on_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    say("one\n::error::two \x1b[31m", err=True)
    assert capsys.readouterr() == ("", "one\n\\x3a:error::two \\x1b[31m\n")
