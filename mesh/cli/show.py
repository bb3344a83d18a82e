"""`mesh show`: print the desired state as a list, as a graph, or as manifests."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import click

from mesh.cli.print_plan import FORMATS, full_option, printed
from mesh.cli.saved_plan import is_plan
from mesh.cli.saved_plan import load as load_plan
from mesh.cli.session import document_options, environment, load, open_session
from mesh.cli.unread import refuse_unread
from mesh.cli.views.detail import Detail
from mesh.errors import UsageError
from mesh.model import Found, Key, Live, Resource, Unknown, Unread
from mesh.model.refs import Ref, pick
from mesh.model.spec import Mesh
from mesh.sdk.contract import Registry
from mesh.world import World

Resources = Mapping[Key, Resource[Any]]
Outputs = Callable[[Ref], Any]


@click.command("show")
@document_options
@click.argument("addresses", nargs=-1, metavar="[ADDRESS]...")
@click.option(
    "--manifests", is_flag=True, help="Print the manifests that mesh would send, with secrets masked."
)
@click.option("--live", is_flag=True, help="Read values that only the clusters know, such as addresses.")
@click.option("--graph", type=click.Choice(("dot", "mermaid")), help="Print the dependency graph.")
@click.option("--format", "how", type=click.Choice(FORMATS), help="Output format of a saved plan.")
@click.option("--json", "as_json", is_flag=True, help="Same as --format json.")
@full_option
def show_command(
    *,
    path: Path,
    contexts: tuple[str, ...],
    addresses: tuple[str, ...],
    manifests: bool,
    live: bool,
    graph: str | None,
    how: str | None,
    as_json: bool,
    full: bool,
) -> None:
    """Print the resources of the mesh file with their dependencies, in the order of creation.

    With ADDRESS, only these resources. Only --live needs the clusters: without it, values that only
    a cluster knows are printed as `(known after …)`. With --live, the exit code is 6 if a
    value could not be read. With the file of a saved plan, print the plan.
    """
    how = "json" if as_json else how
    if len(addresses) == 1 and is_plan(addresses[0]):
        _print_plan(Path(addresses[0]), how or "text", full=full, is_other=bool(manifests or live or graph))
        return
    if how:
        raise UsageError("--format is for a saved plan", hint="run mesh show --format json plan.json")
    if graph and manifests:
        raise UsageError("--graph and --manifests cannot be used together", hint="use one of them")
    if live and not manifests:
        raise UsageError("--live needs --manifests", hint="run mesh show --manifests --live")
    from mesh.cli.views.graph import dot, mermaid, resources_text
    from mesh.engine.registry import all_kinds, kinds_for
    from mesh.model.graph import edges, ordered
    from mesh.planner.expand import expand

    mesh = load(path, contexts)
    unread: Mapping[str, str] = {}
    resources = expand(mesh, kinds_for(mesh))
    edge = edges(resources.values())
    chosen = select(addresses, ordered(edge))
    if manifests:
        outputs = _live(path, contexts, resources) if live else _unknown
        world = _no_clusters(mesh) if addresses else None
        text = _manifests(chosen, resources, outputs, all_kinds(), world)
        unread = outputs.unread if isinstance(outputs, LiveOutputs) else {}
    elif graph:
        part = {key: edge[key] & set(chosen) for key in chosen}
        text = dot(part) if graph == "dot" else mermaid(part)
    else:
        text = resources_text(chosen, resources, edge)
    click.echo(text, nl=False)
    refuse_unread(unread)


def _print_plan(path: Path, how: str, *, full: bool, is_other: bool) -> None:
    if is_other:
        raise UsageError("a saved plan has no --manifests, --live or --graph", hint="use --format")
    detail = Detail.FULL if full else Detail.FOLDED
    click.echo(printed(load_plan(path), how, detail), nl=False)


def select(addresses: Iterable[str], order: tuple[Key, ...]) -> tuple[Key, ...]:
    """Return the selected keys in order, all if none is selected; raise UsageError for an unknown address."""
    asked = set(addresses)
    for address in sorted(asked):
        one_of(address, [str(key) for key in order], "resource")
    return tuple(key for key in order if not asked or str(key) in asked)


def one_of(name: str, names: list[str], noun: str) -> None:
    """Raise UsageError for an unknown name, with the nearest known name as hint."""
    if name not in names:
        close = get_close_matches(name, names, n=1)
        meant = f"did you mean {close[0]}?" if close else f"known names: {', '.join(names[:8])}"
        raise UsageError(f"there is no {noun} {name!r} in the configuration", hint=meant)


@dataclass(slots=True)
class LiveOutputs:
    """The values that other resources have now; `unread` says why some of them are not known."""

    found: Mapping[Key, Found]
    unread: dict[str, str] = field(default_factory=dict)

    def __call__(self, ref: Ref) -> Any:
        """Return the value of a ref, `Unknown` if there is none."""
        found = self.found.get(ref.key)
        if isinstance(found, Unread):
            self.unread[str(ref.key)] = found.why
        return pick(found.outputs, ref) if isinstance(found, Live) else Unknown(ref.key)


def _unknown(ref: Ref) -> Any:
    return Unknown(ref.key)


def _live(path: Path, contexts: tuple[str, ...], resources: Resources) -> Outputs:
    """Read every resource; values that a cluster does not return stay unknown."""
    from mesh.engine.observe import observe
    from mesh.planner.inputs import places

    here = open_session(path, contexts)
    state = here.store.read(here.mesh.name)
    last = {key: entry.last for key, entry in state.entries.items()}
    clusters = tuple(cluster.name for cluster in here.mesh.clusters)
    wanted = {key: place for key, place in places(resources, state).items() if key in resources}
    seen = observe(wanted, clusters, last, here.kinds, here.world, {})

    return LiveOutputs(seen.found)


def _manifests(
    chosen: Iterable[Key], resources: Resources, outputs: Outputs, kinds: Registry, world: World | None
) -> str:
    """Return the documents of the chosen resources; `world` is for sources that are printed by name only."""
    from mesh.cli.views.manifests import manifests_text
    from mesh.model.refs import bind
    from mesh.sdk import ask

    return manifests_text(
        {
            key: ask.documents(kinds.get(key.kind), bind(resources[key].spec, outputs), key, world)
            for key in chosen
        }
    )


def _no_clusters(mesh: Mesh) -> World:
    """Return a world without clusters: for sources in files and on the web."""
    from mesh.world.clock import SystemClock

    return World({}, {}, SystemClock(), environment(), Path(mesh.file).absolute().parent)
