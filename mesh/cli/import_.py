"""`mesh import`: write a mesh file for clusters that already run Istio."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mesh.cli.kube_contexts import chosen, shown
from mesh.cli.say import say
from mesh.cli.session import environment
from mesh.errors import MeshError, UsageError
from mesh.model.printable import quoted

if TYPE_CHECKING:
    from mesh.config.starter import StarterCluster
    from mesh.queries.discover import DiscoveredCluster, SkippedCluster

PATIENCE = 10.0
"""Seconds to wait for each context: a kubeconfig may list many clusters that no longer exist."""


@click.command("import")
@click.option(
    "--context",
    "wanted",
    multiple=True,
    metavar="[NAME=]CTX",
    help="Import only this context. Repeatable.  [default: all that run istiod]",
)
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
def import_command(*, wanted: tuple[str, ...], path: Path, name: str, kubeconfig: Path | None) -> None:
    """Write a mesh file for clusters that already run Istio. Changes nothing in the clusters."""
    from mesh.cli.init import SCHEMA
    from mesh.cli.schema import write_schema
    from mesh.config.source.problems import path_type
    from mesh.config.starter import label
    from mesh.queries.discover import agree, mesh_file_text
    from mesh.state.store import prepare_folder
    from mesh.world.disk.files import replace_file

    to_stdout = str(path) == "-"
    if path_type(path) and not to_stdout:
        raise UsageError(
            f"{path} already exists; mesh import never overwrites a file",
            hint="write to another file with --file, or to stdout with --file -",
        )
    found, missed = _look(chosen(kubeconfig, wanted), kubeconfig, explicit=bool(wanted))
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
    prepare_folder((path.parent / SCHEMA).parent)
    write_schema(path.parent / SCHEMA)
    replace_file(path, content.encode())
    say(f"{path}: {', '.join(each.name for each in found)}")
    for each in missed:
        say(f"left out: {each.name}: {each.why}", err=True)
    for remark in agreed.remarks:
        say(f"not decided: {remark}", err=True)
    say(f"next: mesh plan -f {quoted(str(path))}", err=True)


def _look(
    entries: Sequence[StarterCluster], kubeconfig: Path | None, *, explicit: bool
) -> tuple[list[DiscoveredCluster], list[SkippedCluster]]:
    """Read all contexts in parallel; contexts without Istio are skipped, and reported if asked for."""
    from mesh.queries.discover import DiscoveredCluster, SkippedCluster, look
    from mesh.walk import fan
    from mesh.world import World
    from mesh.world.clock import SystemClock
    from mesh.world.kube.client import connect
    from mesh.world.kube.named import check_kubeconfigs
    from mesh.world.snapshot import Snapshot

    env = environment()
    path = str(kubeconfig.absolute()) if kubeconfig else ""
    targets = [(each.name, each.context, path) for each in entries]
    check_kubeconfigs(targets, env, Path.cwd())
    kubes = connect(targets, env)
    patient = {name: kube.within(PATIENCE) for name, kube in kubes.items()}
    world = World(patient, {}, SystemClock(), env, Path.cwd())

    def read(entry: StarterCluster) -> DiscoveredCluster | SkippedCluster | None:
        return look(entry.name, entry.context, Snapshot(entry.name, world))

    answers = fan(read, entries)
    nothing = [
        SkippedCluster(one.name, one.context, "it runs no istiod") for one in entries if answers[one] is None
    ]
    seen = [answers[one] for one in entries]
    found = [each for each in seen if isinstance(each, DiscoveredCluster)]
    missed = [each for each in seen if isinstance(each, SkippedCluster)]
    return found, [*missed, *(nothing if explicit else ())]


def _nothing(missed: Sequence[SkippedCluster]) -> MeshError:
    why = "; ".join(f"{each.name}: {each.why}" for each in missed)
    return MeshError(
        "found no cluster with Istio installed by helm" + (f" ({why})" if why else ""),
        hint="`mesh init` writes a mesh file for clusters without Istio",
    )
