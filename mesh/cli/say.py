"""Print a message of a command: the text of a view is printed by `click.echo`, everything else by `say`."""

from __future__ import annotations

import click

from mesh.cli.views.escape import terminal


def say(text: str, *, err: bool = False) -> None:
    """Print lines that act on nothing: what comes from files and clusters is escaped."""
    click.echo("\n".join(map(terminal, text.split("\n"))), err=err)
