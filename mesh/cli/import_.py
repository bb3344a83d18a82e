"""`mesh import`: write the mesh file for clusters that run Istio already."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mesh.cli.kube_contexts import chosen, shown
from mesh.errors import MeshError, UsageError

if TYPE_CHECKING:
    from mesh.config.starter import StarterCluster
    from mesh.queries.discover import DiscoveredCluster, SkippedCluster

PATIENCE = 10.0
"""Seconds for a context to answer: a kubeconfig may be full of clusters that are gone."""
READERS = 16


@click.command("import")
@click.option(
    "--context",
    "wanted",
    multiple=True,
    metavar="[NAME=]CTX",
    help="Only this context; may be repeated.  [default: all that run istiod]",
)
@click.option(
    "-f",
    "--file",
    "path",
    type=click.Path(dir_okay=False, path_type=Path, allow_dash=True),
    default=Path("mesh.yaml"),
    show_default=True,
    help="The file to write; - for stdout.",
)
@click.option("--name", default="", help="The mesh's name.  [default: that of the folder]")
@click.option("--kubeconfig", type=click.Path(dir_okay=False, path_type=Path), help="Instead of KUBECONFIG.")
def import_command(*, wanted: tuple[str, ...], path: Path, name: str, kubeconfig: Path | None) -> None:
    """Write the mesh file for clusters that run Istio already; change nothing in them."""
    from mesh.cli.init import SCHEMA
    from mesh.cli.schema import write_schema
    from mesh.config.source.problems import path_type
    from mesh.config.starter import label
    from mesh.queries.discover import agree, mesh_file_text
    from mesh.world.disk.files import replace_file

    to_stdout = str(path) == "-"
    if path_type(path) and not to_stdout:
        raise UsageError(
            f"{path} is there already, and never overwritten",
            hint="name another with --file; - is stdout",
        )
    found, missed = _look(chosen(kubeconfig, wanted), kubeconfig, told=bool(wanted))
    if not found:
        raise _nothing(missed)
    agreed = agree(found)
    content = mesh_file_text(
        label(name or path.absolute().parent.name) or "mesh",
        found,
        missed,
        agreed,
        schema=str(SCHEMA),
        kubeconfig=shown(kubeconfig) if kubeconfig else "",
    )
    if to_stdout:
        click.echo(content, nl=False)
        return
    write_schema(path.parent / SCHEMA)
    replace_file(path, content.encode())
    click.echo(f"{path}: {', '.join(each.name for each in found)}")
    for each in missed:
        click.echo(f"left out: {each.name}: {each.why}", err=True)
    for remark in agreed.remarks:
        click.echo(f"not decided: {remark}", err=True)
    click.echo(f"next: mesh plan -f {path}", err=True)


def _look(
    entries: Sequence[StarterCluster], kubeconfig: Path | None, *, told: bool
) -> tuple[list[DiscoveredCluster], list[SkippedCluster]]:
    """Read every context at once; those without Istio are left out, and named if they were asked for."""
    from mesh.queries.discover import DiscoveredCluster, SkippedCluster, look
    from mesh.walk import fan
    from mesh.world import Snapshot, World
    from mesh.world.clock import SystemClock
    from mesh.world.kube.client import connect

    env = dict(os.environ)
    path = str(kubeconfig.absolute()) if kubeconfig else ""
    kubes = connect([(each.name, each.context, path) for each in entries], env)
    patient = {name: kube.within(PATIENCE) for name, kube in kubes.items()}
    world = World(patient, {}, SystemClock(), env, Path.cwd())

    def read(entry: StarterCluster) -> DiscoveredCluster | SkippedCluster | None:
        return look(entry.name, entry.context, Snapshot(entry.name, world))

    answers = fan(read, entries, READERS)
    nothing = [
        SkippedCluster(one.name, one.context, "it runs no istiod") for one in entries if answers[one] is None
    ]
    seen = [answers[one] for one in entries]
    found = [each for each in seen if isinstance(each, DiscoveredCluster)]
    missed = [each for each in seen if isinstance(each, SkippedCluster)]
    return found, [*missed, *(nothing if told else ())]


def _nothing(missed: Sequence[SkippedCluster]) -> MeshError:
    why = "; ".join(f"{each.name}: {each.why}" for each in missed)
    return MeshError(
        "no cluster was found that helm installed Istio in" + (f" ({why})" if why else ""),
        hint="`mesh init` writes a file for clusters that run none yet",
    )
