"""The question before a command does what cannot be undone."""

from __future__ import annotations

import os
import sys

import click

from mesh.cli.signals import asking
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


def refuse_unknown(given: tuple[str, ...], known: tuple[str, ...]) -> None:
    """Take the name of no cluster for a mistake of who typed it."""
    for name in given:
        if name not in known:
            raise UsageError(
                f"--confirm {name}: there is no cluster {name}", hint=f"clusters are {', '.join(known)}"
            )


def confirm_names(names: tuple[str, ...], given: tuple[str, ...], *, ask: bool) -> None:
    """Go on only when every cluster was named, on the command line or when asked: `--yes` is not enough."""
    missing = [name for name in names if name not in given]
    if missing and not (ask and look(os.environ, sys.stdin, sys.stdout, sys.stderr).answers):
        flags = " ".join(f"--confirm {name}" for name in missing)
        raise UsageError(
            f"every identity in {', '.join(missing)} is issued again, and --yes alone does not confirm that",
            hint=f"read the plan above, then add {flags}",
        )
    for name in missing:
        click.echo(
            f"Every identity in {name} is issued again.\n  Only the name of the cluster will be accepted."
        )
        with asking():
            answer = click.prompt("\n  Enter the name", default="", show_default=False, prompt_suffix=": ")
        if answer != name:
            raise InterruptedRunError("not confirmed; nothing was changed")
