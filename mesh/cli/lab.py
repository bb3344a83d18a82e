"""`mesh lab`: real local clusters to try things on."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from mesh.errors import LabError, MeshError
from mesh.lab import Lab, LabStatus, ProcessStatus, State
from mesh.lab.build import toolchain
from mesh.lab.progress import Line


def _chosen(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say which lab is meant."""
    name = click.option("--name", default="default", show_default=True, help="Which lab.")
    folder = click.option(
        "--dir",
        "folder",
        type=click.Path(file_okay=False, path_type=Path),
        help="Its state folder, instead of the one in the user's state directory.",
    )
    return name(folder(command))


@click.group()
def lab() -> None:
    """Run real Kubernetes control planes on this machine, without Docker."""


@lab.command()
@_chosen
@click.option("--clusters", type=click.IntRange(1, 64), help="How many clusters.  [default: as now, else 2]")
@click.option("--nodes", type=click.IntRange(1, 200), help="Nodes per cluster.  [default: as now, else 2]")
@click.option("--prefix", default="cluster", show_default=True, help="Contexts are this and a number.")
@click.option("--standin/--no-standin", default=True, help="Run the stand-in istiod.  [default: yes]")
def up(
    *, name: str, folder: Path | None, clusters: int | None, nodes: int | None, prefix: str, standin: bool
) -> None:
    """Start the lab, or what is missing of it, and wait until it is ready."""
    toolchain()  # with a progress line of its own
    one = Lab.open(name, folder=folder)
    before = one.status() if one.exists() else None
    for where, process in before.not_running() if before else ():
        click.echo(f"{where}: {process.name} is {process.state.value}, starting it", err=True)
    progress = Line(f"lab {name}")
    after = one.up(clusters, nodes, prefix=prefix, standin=standin, progress=progress)
    _complain(one, after)
    if before and before.up and len(before.clusters) == len(after.clusters):
        click.echo(f"lab {name} is up")
    else:
        progress.done("is up")
        click.echo(f"{', '.join(one.contexts)} in {one.kubeconfig}")
    click.echo(f'to use it: eval "$({_again("env", name, folder)})"')


@lab.command()
@_chosen
def down(*, name: str, folder: Path | None) -> None:
    """End every process of the lab and delete its files."""
    one = Lab.open(name, folder=folder)
    was_up = one.folder.exists()
    one.down()
    click.echo(f"lab {name} is down" if was_up else f"lab {name} was not up")


@lab.command()
@_chosen
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def status(*, name: str, folder: Path | None, as_json: bool) -> None:
    """Show every cluster and process: running or not, memory, port, readiness."""
    found = Lab.open(name, folder=folder).status()
    click.echo(_json(found) if as_json else _text(found))


@lab.command("list")
def list_() -> None:
    """Show every lab of this machine, also those that a killed command left behind."""
    for one in Lab.known():
        state = "up" if one.status().up else "not up"
        click.echo(f"{one.name}  {state}  {len(one.contexts)} clusters  {one.folder}")


@lab.command()
@_chosen
@click.argument("cluster", required=False)
@click.argument("component", required=False)
@click.option("-n", "lines", default=20, show_default=True, help="How many lines of each log.")
def logs(*, name: str, folder: Path | None, cluster: str | None, component: str | None, lines: int) -> None:
    """Print the end of the logs of CLUSTER ("-": of the lab itself), or of one COMPONENT of it."""
    one = Lab.open(name, folder=folder)
    found = one.status()
    for where, process in _processes(found):
        if cluster in (None, where) and component in (None, process.name):
            log = one.log(where, process.name)
            click.echo(f"==> {where}/{process.name} ({log}) <==")
            text = log.read_text(errors="replace") if log.exists() else ""
            click.echo("\n".join(text.splitlines()[-lines:]))


@lab.command()
@_chosen
@click.option("--content", is_flag=True, help="Print the document instead of its path.")
def kubeconfig(*, name: str, folder: Path | None, content: bool) -> None:
    """Print the path of the lab's kubeconfig."""
    one = Lab.open(name, folder=folder)
    one.status()
    click.echo(one.kubeconfig.read_text() if content else str(one.kubeconfig))


@lab.command()
@_chosen
def env(*, name: str, folder: Path | None) -> None:
    """Print the shell lines that point kubectl and helm at the lab: eval "$(mesh lab env)"."""
    one = Lab.open(name, folder=folder)
    path = f"export PATH={shlex.quote(str(one.bin))}:$PATH"
    others = [
        f"export {key}={shlex.quote(value)}" for key, value in one.environment().items() if key != "PATH"
    ]
    click.echo("\n".join([*others, path]))


@lab.command()
def build() -> None:
    """Build the toolchain now (kept in the cache), and print its folder."""
    click.echo(str(toolchain().bin))


def _complain(one: Lab, found: LabStatus) -> None:
    """Fail when something that was just started has ended again."""
    for where, process in found.not_running():
        log = one.log(where, process.name)
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-8:])
        raise LabError(f"{where}: {process.name} ended:\n{tail}", hint=f"the whole log is {log}")


def _again(verb: str, name: str, folder: Path | None) -> str:
    where = f" --dir {shlex.quote(str(folder))}" if folder else ""
    which = f" --name {name}" if name != "default" else ""
    return f"mesh lab {verb}{which}{where}"


def _processes(found: LabStatus) -> list[tuple[str, ProcessStatus]]:
    own = [(cluster.name, process) for cluster in found.clusters for process in cluster.processes]
    return own + [("-", process) for process in found.extras]


def _json(found: LabStatus) -> str:
    def plain(value: object) -> object:
        return value.value if isinstance(value, State) else str(value)

    clusters = [{**asdict(cluster), "rss": cluster.rss} for cluster in found.clusters]
    return json.dumps({"up": found.up, **asdict(found), "clusters": clusters}, default=plain, indent=2)


def _text(found: LabStatus) -> str:
    lines = [f"lab {found.name} in {found.folder}"]
    for cluster in found.clusters:
        ready = "ready" if cluster.ready else "not ready"
        lines.append(f"\n{cluster.name}  {cluster.server}  {ready}  {cluster.rss // 2**20} MiB")
        lines += [_row(process) for process in cluster.processes]
    if found.extras:
        lines.append("\nfor all clusters")
        lines += [_row(process) for process in found.extras]
    return "\n".join(lines)


def _row(process: ProcessStatus) -> str:
    running = f"pid {process.pid:<8} {process.rss // 2**20:>5} MiB" if process.pid else ""
    return f"  {process.name:<24} {process.state.value:<8} {running}".rstrip()


def _alone() -> None:
    """Run the group as a program of its own, for `python -m mesh.lab`."""
    try:
        lab(prog_name="mesh lab")
    except MeshError as error:
        click.echo(f"error: {error.message}" + (f"\n  {error.hint}" if error.hint else ""), err=True)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    _alone()
