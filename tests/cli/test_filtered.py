"""Both streams of a command, without secrets."""

from __future__ import annotations

import io
import sys
from contextlib import redirect_stdout

import click
import pytest

from mesh.cli.filtered import Filtered, filtered
from mesh.world import hidden

SECRET = "hunter2-canary"


def test_what_is_written_to_either_stream_is_clean(capsys: pytest.CaptureFixture[str]) -> None:
    with filtered():
        hidden.know([SECRET])
        click.echo(f"out {SECRET}")
        click.echo(f"err {SECRET}", err=True)
        sys.stdout.writelines(["hunter2", "-canary\n"])
    out, err = capsys.readouterr()
    assert (out, err) == ("out ***\n***\n", "err ***\n")
    assert hidden.known() == frozenset()


def test_everything_else_of_a_stream_is_its_own() -> None:
    stream = io.StringIO()
    found = Filtered(stream)
    assert found.write("text") == 4
    assert (found.isatty(), found.getvalue()) == (False, "text")


def test_what_others_note_at_a_stream_stays_with_it() -> None:
    class Noted(io.StringIO):
        failed = "no"

    stream = Noted()
    found = Filtered(stream)
    found.failed = "yes"
    assert (stream.failed, found.failed) == ("yes", "yes")


def test_a_closed_stream_stays_closed() -> None:
    target: object = None
    with redirect_stdout(None), filtered():
        target = sys.stdout
    assert target is None
