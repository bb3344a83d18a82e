"""`mesh init`: write a starter mesh file."""

from __future__ import annotations

from pathlib import Path

import click

from mesh.cli.kube_contexts import chosen, shown
from mesh.cli.say import say
from mesh.errors import UsageError
from mesh.model.printable import quoted, terminal

MANY = 3
"""Contexts that are taken without a question; more are rarely one mesh."""

SCHEMA = Path(".mesh/desired-state.schema.json")


@click.command("init")
@click.option(
    "-f",
    "--file",
    "path",
    type=click.Path(dir_okay=False, path_type=Path, allow_dash=True),
    default=Path("mesh.yaml"),
    show_default=True,
    help="The file to write, - for stdout.",
)
@click.option("--name", default="", help="Name of the mesh.  [default: name of the folder]")
@click.option(
    "--kubeconfig",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The kubeconfig to read.  [default: KUBECONFIG]",
)
@click.option(
    "--context", "wanted", multiple=True, metavar="[NAME=]CTX", help="Include only this context. Repeatable."
)
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
@click.option("--yes", is_flag=True, help="Take every context of the kubeconfig without asking.")
def init_command(
    *, path: Path, name: str, kubeconfig: Path | None, wanted: tuple[str, ...], force: bool, yes: bool
) -> None:
    """Write a commented mesh.yaml for the contexts of the kubeconfig."""
    from mesh.cli.schema import write_schema
    from mesh.config.source.problems import path_type
    from mesh.config.starter import StarterCluster, label, starter
    from mesh.state.store import prepare_folder
    from mesh.world.disk.files import replace_file

    to_stdout = str(path) == "-"
    if not to_stdout and path_type(path) and not force:
        raise UsageError(
            f"{path} already exists", hint="write to another file with --file, or overwrite it with --force"
        )
    clusters = chosen(kubeconfig, wanted)
    found = bool(clusters)
    if not wanted and len(clusters) > MANY:
        _ask([one.context for one in clusters], yes=yes)
    clusters = clusters or (StarterCluster("cluster1", "cluster1"), StarterCluster("cluster2", "cluster2"))
    text = starter(
        label(name or path.absolute().parent.name) or "mesh",
        clusters,
        schema=str(SCHEMA),
        kubeconfig=shown(kubeconfig) if kubeconfig else "",
    )
    if to_stdout:
        click.echo(text, nl=False)
        return
    prepare_folder((path.parent / SCHEMA).parent)
    write_schema(path.parent / SCHEMA)
    replace_file(path, text.encode())
    names = ", ".join(one.name for one in clusters)
    if found:
        say(f"{path}: {names}; remove the clusters that do not belong to the mesh")
    else:
        say(f"{path}: found no contexts in a kubeconfig; edit the contexts of {names}")
    say(f"next: mesh validate -f {quoted(str(path))}", err=True)


def _ask(contexts: list[str], *, yes: bool) -> None:
    """Ask before all of many contexts are taken; raise UsageError if there is no terminal to ask on."""
    from mesh.cli.confirm import confirm

    listed = "\n".join(f"  {terminal(each)}" for each in contexts)
    try:
        confirm(f"The kubeconfig has {len(contexts)} contexts:\n{listed}\nWrite all of them?", yes=yes)
    except UsageError:
        raise UsageError(
            f"the kubeconfig has {len(contexts)} contexts, and a mesh rarely has all of them:\n{listed}",
            hint="select those of the mesh with --context NAME, or take all with --yes",
        ) from None
