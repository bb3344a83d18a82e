"""`mesh lab`: real local Kubernetes control planes for tests and demos."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, get_args

import click

from mesh.errors import LabError, MeshError
from mesh.lab import Lab, LabStatus, ProcessStatus, State, traffic
from mesh.lab.build import toolchain
from mesh.lab.istio_tools import istio_tools
from mesh.lab.progress import Line
from mesh.lab.record import Istio


def _chosen(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that select a lab."""
    name = click.option("--name", default="default", show_default=True, help="Name of the lab.")
    folder = click.option(
        "--dir",
        "folder",
        type=click.Path(file_okay=False, path_type=Path),
        help="State folder of the lab.  [default: a folder in the user's state directory]",
    )
    return name(folder(command))


@click.group()
def lab() -> None:
    """Run real Kubernetes control planes on this machine, without Docker."""


@lab.command()
@_chosen
@click.option(
    "--clusters", type=click.IntRange(1, 64), help="Number of clusters.  [default: unchanged, or 2]"
)
@click.option(
    "--nodes", type=click.IntRange(1, 200), help="Number of nodes per cluster.  [default: unchanged, or 2]"
)
@click.option(
    "--prefix", default="cluster", show_default=True, help="Prefix of the context names; a number follows."
)
@click.option(
    "--istio",
    type=click.Choice(get_args(Istio)),
    help="Who acts as istiod: a stand-in, Istio itself, no one.  [default: unchanged, or standin]",
)
def up(
    *,
    name: str,
    folder: Path | None,
    clusters: int | None,
    nodes: int | None,
    prefix: str,
    istio: Istio | None,
) -> None:
    """Start the lab, or the missing parts of it, and wait until it is ready."""
    toolchain()  # with a progress line of its own
    if istio == "real":
        istio_tools()
    one = Lab.open(name, folder=folder)
    before = one.status() if one.exists() else None
    for where, process in before.not_running() if before else ():
        click.echo(f"{where}: {process.name} is {process.state.value}, starting it", err=True)
    progress = Line(f"lab {name}")
    after = one.up(clusters, nodes, prefix=prefix, istio=istio, progress=progress)
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
    """Stop every process of the lab and delete its files."""
    one = Lab.open(name, folder=folder)
    was_up = one.folder.exists()
    one.down()
    click.echo(f"lab {name} is down" if was_up else f"lab {name} was not running")


@lab.command()
@_chosen
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def status(*, name: str, folder: Path | None, as_json: bool) -> None:
    """Show every cluster and process: state, memory, port, readiness."""
    found = Lab.open(name, folder=folder).status()
    click.echo(_json(found) if as_json else _text(found))


@lab.command("list")
def list_() -> None:
    """List every lab of this machine, including labs left behind by a killed command."""
    for one in Lab.known():
        state = "up" if one.status().up else "not up"
        click.echo(f"{one.name}  {state}  {len(one.contexts)} clusters  {one.folder}")


@lab.command()
@_chosen
@click.argument("cluster", required=False)
@click.argument("component", required=False)
@click.option("-n", "lines", default=20, show_default=True, help="Number of lines of each log.")
def logs(*, name: str, folder: Path | None, cluster: str | None, component: str | None, lines: int) -> None:
    """Print the end of the logs of CLUSTER, or of one COMPONENT of it. CLUSTER "-" is the lab itself."""
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
@click.argument("origin", metavar="FROM")
@click.argument("target", metavar="TO")
@click.option("--count", type=click.IntRange(1), default=1, show_default=True, help="Number of requests.")
@click.option(
    "--rate", type=click.FloatRange(0.1, 1000), default=10.0, show_default=True, help="Requests per second."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per request.")
def request(
    *, name: str, folder: Path | None, origin: str, target: str, count: int, rate: float, as_json: bool
) -> None:
    """Send requests from a workload of cluster FROM to the Service lab-hello/hello in cluster TO.

    The Service is installed in both if it is missing. Needs a lab with real Istio, and a mesh in it.
    """
    one = Lab.open(name, folder=folder)
    ends = tuple(dict.fromkeys((origin, target)))
    for cluster in ends:
        if cluster not in one.contexts:
            raise LabError(
                f"lab {name} has no cluster {cluster}", hint=f"known names: {', '.join(one.contexts)}"
            )
    new = [cluster for cluster in ends if traffic.install(one, cluster)]
    if new:
        traffic.become_known(one, origin, target)
    outcomes = traffic.send(one, origin, target, count=count, rate=rate)
    found = traffic.summary(outcomes)
    lines = [json.dumps(asdict(each)) for each in outcomes] if as_json else _request(found, origin, target)
    click.echo("\n".join(lines))
    if found.lost:
        raise SystemExit(1)


@lab.command()
@_chosen
@click.option("--content", is_flag=True, help="Print the content instead of the path.")
def kubeconfig(*, name: str, folder: Path | None, content: bool) -> None:
    """Print the path of the lab's kubeconfig."""
    one = Lab.open(name, folder=folder)
    one.status()
    click.echo(one.kubeconfig.read_text() if content else str(one.kubeconfig))


@lab.command()
@_chosen
def env(*, name: str, folder: Path | None) -> None:
    """Print shell commands that point kubectl and helm at the lab: eval "$(mesh lab env)"."""
    one = Lab.open(name, folder=folder)
    path = f"export PATH={shlex.quote(str(one.bin))}:$PATH"
    others = [
        f"export {key}={shlex.quote(value)}" for key, value in one.environment().items() if key != "PATH"
    ]
    click.echo("\n".join([*others, path]))


@lab.command()
@click.option("--istio", is_flag=True, help="Build real Istio as well.")
def build(*, istio: bool) -> None:
    """Build the toolchain into the cache, and print its folder."""
    click.echo(str(toolchain().bin))
    if istio:
        click.echo(str(istio_tools()))


def _complain(one: Lab, found: LabStatus) -> None:
    """Raise LabError if a process that was just started has already exited."""
    for where, process in found.not_running():
        log = one.log(where, process.name)
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-8:])
        raise LabError(f"{where}: {process.name} exited:\n{tail}", hint=f"see the full log in {log}")


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
    """Run the command group as a separate program, for `python -m mesh.lab`."""
    try:
        lab(prog_name="mesh lab")
    except MeshError as error:
        click.echo(f"error: {error.message}" + (f"\n  {error.hint}" if error.hint else ""), err=True)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    _alone()


def _request(found: traffic.Summary, origin: str, target: str) -> list[str]:
    answered = found.sent - found.lost
    lines = [f"{origin} -> {target}: {found.sent} sent, {answered} answered, {found.lost} lost"]
    lines += [f"  answered by  {who} ({times})" for who, times in found.answered_by]
    lines += [f"  gateway      {each}" for each in found.gateways]
    lines += [f"  identity     {each}" for each in found.identities]
    if answered:
        lines.append(f"  latency      p50 {found.p50:.1f} ms, p90 {found.p90:.1f} ms, p99 {found.p99:.1f} ms")
    lines += [f"  lost ({times})  {error}" for error, times in found.errors]
    if found.lost:
        lines.append(f"  lost between {found.lost_from} and {found.lost_until}")
    return lines
