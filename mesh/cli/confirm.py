"""The question before a command does what cannot be undone."""

from __future__ import annotations

import os
import sys

import click

from mesh.cli.terminal import look
from mesh.errors import InterruptedRunError, UsageError


def confirm(question: str, *, yes: bool) -> None:
    """Go on only with --yes or the literal `yes`; without a terminal there is nobody to ask."""
    if yes:
        return
    if not look(os.environ, sys.stdin, sys.stdout, sys.stderr).answers:
        raise UsageError("nobody is there to confirm", hint="run with --yes, or in a terminal")
    click.echo(f"{question}\n  Only 'yes' will be accepted.")
    if click.prompt("\n  Enter a value", default="", show_default=False, prompt_suffix=": ") != "yes":
        raise InterruptedRunError("not confirmed; nothing was changed")
