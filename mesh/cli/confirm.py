"""Ask for confirmation before a command does what cannot be undone."""

from __future__ import annotations

import os
import sys

import click

from mesh.cli.say import say
from mesh.cli.signals import asking
from mesh.cli.terminal import look
from mesh.errors import InterruptedRunError, UsageError
from mesh.model.printable import quoted


def confirm(question: str, *, yes: bool) -> None:
    """Continue only with --yes or the answer `yes`; raise UsageError if there is no terminal to ask on."""
    if yes:
        return
    if not look(os.environ, sys.stdin, sys.stdout, sys.stderr).answers:
        raise UsageError(
            "cannot ask for confirmation: not a terminal", hint="add --yes, or run in a terminal"
        )
    say(f"{question}\n  Only 'yes' will be accepted.")
    _expect("yes", "\n  Enter a value")


def refuse_unknown(given: tuple[str, ...], known: tuple[str, ...]) -> None:
    """Raise UsageError if --confirm names a cluster that is not in the mesh file."""
    for name in given:
        if name not in known:
            raise UsageError(
                f"--confirm {name}: there is no cluster {name}", hint=f"the clusters are {', '.join(known)}"
            )


def confirm_names(names: tuple[str, ...], given: tuple[str, ...], *, ask: bool) -> None:
    """Continue only if every cluster is confirmed by name, by --confirm or by answer; --yes is not enough."""
    missing = [name for name in names if name not in given]
    if missing and not (ask and look(os.environ, sys.stdin, sys.stdout, sys.stderr).answers):
        flags = " ".join(f"--confirm {quoted(name)}" for name in missing)
        raise UsageError(
            f"this issues every workload identity in {', '.join(missing)} again; --yes does not confirm that",
            hint=f"review the plan above, then add {flags}",
        )
    for name in missing:
        say(
            f"Every workload identity in {name} is issued again.\n"
            "  Only the name of the cluster will be accepted."
        )
        _expect(name, "\n  Enter the name")


def _expect(answer: str, prompt: str) -> None:
    """Ask, and raise InterruptedRunError on any other answer; a signal ends the question at once."""
    with asking():
        given = click.prompt(prompt, default="", show_default=False, prompt_suffix=": ")
    if given != answer:
        raise InterruptedRunError("not confirmed, nothing was changed")
