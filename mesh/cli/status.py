"""`mesh status`: show the live state of the mesh."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from mesh.cli.session import document_options, open_session
from mesh.cli.terminal import look
from mesh.cli.unread import CODE


@click.command("status")
@document_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 if something is not ready.")
def status_command(*, path: Path, contexts: tuple[str, ...], as_json: bool, detailed_exitcode: bool) -> int:
    """Show the live state of every cluster. Changes nothing.

    Shows pods and nodes, east-west gateways, peers with the two conditions that prove a link,
    intermediate certificates and their root. Needs no licence, no root key and no helm.

    The exit code is 6 if something could not be read.
    """
    from mesh.cli.views.plan_json import json_text
    from mesh.cli.views.status import status_json, status_text
    from mesh.queries.status.read import read_status

    here = open_session(path, contexts)
    status = read_status(here)
    if as_json:
        text = json_text(status_json(status))
    else:
        screen = look(os.environ, sys.stdin, sys.stdout, sys.stderr)
        text = status_text(status, colour=screen.out_colour)
    click.echo(text, nl=False)
    if not status.was_read:
        return CODE
    return 2 if detailed_exitcode and not status.ready else 0
