"""`mesh render`: the desired state as commands for people."""

from __future__ import annotations

from pathlib import Path

import click

from mesh.cli.session import document_options, load
from mesh.cli.show import one_of
from mesh.errors import UsageError
from mesh.model import Sensitive


@click.command("render")
@document_options
@click.option("--commands", "as_commands", is_flag=True, help="As a script for bash.")
@click.option("--cluster", "only", default="", metavar="NAME", help="Only what this cluster needs.")
def render_command(*, path: Path, contexts: tuple[str, ...], as_commands: bool, only: str) -> None:
    """Print the guide's helm and kubectl commands for this file; needs no cluster.

    The script does by hand what apply does, for people who want to do so or check us. No secret is
    in it: it asks for the licence, and for secret values of charts, in the environment.
    """
    if not as_commands:
        raise UsageError("there is nothing to render", hint="write mesh render --commands")
    from mesh.cli.views.commands import commands
    from mesh.planner.expand import expand

    mesh = load(path, contexts)
    if only:
        one_of(only, [cluster.name for cluster in mesh.clusters], "cluster")
    licence = None if mesh.licence.secret else Sensitive("")
    click.echo(commands(mesh, expand(mesh, licence), only=only), nl=False)
