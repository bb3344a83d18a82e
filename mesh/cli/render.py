"""`mesh render`: print the desired state as helm and kubectl commands."""

from __future__ import annotations

from pathlib import Path

import click

from mesh.cli.session import document_options, load
from mesh.cli.show import one_of


@click.command("render")
@document_options
@click.option("--commands", "as_commands", is_flag=True, help="Print a bash script. The default.")
@click.option(
    "--cluster", "only", default="", metavar="NAME", help="Print the commands for this cluster only."
)
def render_command(*, path: Path, contexts: tuple[str, ...], as_commands: bool, only: str) -> None:
    """Print the guide's helm and kubectl commands for the mesh file. Needs no cluster.

    The script makes the same changes as apply, for doing it by hand or for auditing what mesh does. It
    contains no secrets: it reads the licence and secret chart values from environment variables.
    """
    del as_commands  # the only format so far; `mesh show --manifests` prints what is sent
    from mesh.cli.views.commands import commands
    from mesh.engine.registry import all_kinds
    from mesh.planner.expand import expand

    mesh, kinds = load(path, contexts), all_kinds()
    if only:
        one_of(only, [cluster.name for cluster in mesh.clusters], "cluster")
    click.echo(commands(mesh, expand(mesh, kinds), kinds, only=only), nl=False)
