"""`mesh validate`: check the mesh file without a cluster."""

from __future__ import annotations

from pathlib import Path

import click

from mesh.cli.say import say
from mesh.istio.plan_summary import counted
from mesh.model.spec import Mesh


@click.command("validate")
@click.option(
    "-f",
    "--file",
    "path",
    type=click.Path(path_type=Path),
    default=Path("mesh.yaml"),
    envvar="MESH_FILE",
    show_default=True,
    help="The mesh file.",
)
@click.option(
    "--context",
    "contexts",
    multiple=True,
    metavar="NAME=CTX",
    help="Use the kubeconfig context CTX for cluster NAME. Repeatable.",
)
def validate_command(*, path: Path, contexts: tuple[str, ...]) -> None:
    """Check the mesh file and print every mistake with its position. Needs no cluster."""
    from mesh.cli.session import load
    from mesh.engine.registry import kinds_for
    from mesh.planner.expand import expand
    from mesh.planner.ownership import check_file

    mesh = load(path, contexts)
    check_file(mesh.leave, expand(mesh, kinds_for(mesh)))
    counts = f"{counted(len(mesh.clusters), 'cluster')}, {_links(mesh)}"
    say(f"{path}: valid: mesh {mesh.name}, Istio {mesh.version}, {counts}")


def _links(mesh: Mesh) -> str:
    return "automatic links" if mesh.automatic else counted(len(mesh.links), "link")
