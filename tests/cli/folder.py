"""Run one command of mesh in an empty folder."""

from __future__ import annotations

import click


def run(command: click.Command, *args: str) -> None:
    """Run a command; its errors are raised."""
    command.main(list(args), standalone_mode=False)
