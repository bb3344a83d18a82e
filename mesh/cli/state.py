"""`mesh state`: look at what is recorded, put it together anew, or correct it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import click

from mesh.cli.confirm import confirm
from mesh.cli.options import keys
from mesh.cli.session import document_options, load, open_session, store_of
from mesh.errors import RefusedError, StateError, UsageError
from mesh.model import Key
from mesh.state.lockfile import ClusterIdentity, State
from mesh.state.store import Store

yes_option = click.option("--yes", is_flag=True, help="Do not ask.")


@click.group("state")
def state() -> None:
    """Look at what is recorded, put it together anew from the clusters, or correct it.

    None of these verbs changes anything that runs.
    """


@state.command("show")
@document_options
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def show_command(*, path: Path, contexts: tuple[str, ...], as_json: bool) -> None:
    """Show what the lockfile and each cluster's copy hold, and who is at work."""
    from mesh.cli.state_show import shown, shown_json

    here = open_session(path, contexts, licence=False, recorded=_known(path, contexts))
    click.echo(shown_json(here) if as_json else shown(here), nl=False)


@state.command("rebuild")
@document_options
@click.option("--force", is_flag=True, help="Replace a lockfile that is newer, or of another lineage.")
def rebuild_command(*, path: Path, contexts: tuple[str, ...], force: bool) -> None:
    """Write the lockfile anew from what the clusters hold."""
    from mesh.engine.rebuild_state import rebuild, refuse_older

    here = open_session(path, contexts, licence=False, recorded={})
    with here.store.held("state rebuild", here.world.clock.now()):
        found = rebuild(here)
        local = _readable(here.store, here.mesh.name)
        if local and not force:
            refuse_older(found.state, local)
        for line in found.said:
            click.echo(line)
        if local == found.state:
            click.echo(f"{here.store.path.name} is as the clusters have it: serial {local.serial}")
            return
        if not found.state.entries:
            raise RefusedError(
                f"no cluster of the file holds anything of mesh {here.mesh.name!r}: nothing to rebuild from"
            )
        here.store.rewrite(found.state)
    count = len(found.state.entries)
    click.echo(f"{here.store.path.name} written: serial {found.state.serial}, {count} resources")


@state.command("forget")
@document_options
@click.option("--cluster", "clusters", multiple=True, metavar="NAME", help="Drop all records of a cluster.")
@click.argument("addresses", nargs=-1, metavar="[ADDRESS]...", callback=keys)
@yes_option
def forget_command(
    *,
    path: Path,
    contexts: tuple[str, ...],
    clusters: tuple[str, ...],
    addresses: frozenset[Key],
    yes: bool,
) -> None:
    """Drop records from the lockfile; what they stand for stays where it is, and is nobody's."""
    if not clusters and not addresses:
        raise UsageError("nothing to forget", hint="name addresses, or a cluster with --cluster")
    here = load(path, contexts)
    store = store_of(path)
    with store.held("state forget", _now()):
        lock = store.read(here.name)
        gone = _forgotten(lock, frozenset(clusters), addresses)
        listed = "\n".join(f"  {key}" for key in sorted(gone))
        confirm(
            f"Forget {len(gone)} records:\n{listed}\n  The things themselves stay in the clusters.", yes=yes
        )
        store.rewrite(
            _next(
                lock,
                clusters={name: who for name, who in lock.clusters.items() if name not in clusters},
                entries={key: entry for key, entry in lock.entries.items() if key not in gone},
            )
        )
    click.echo(f"{len(gone)} records forgotten")
    for name in sorted(set(clusters) & {cluster.name for cluster in here.clusters}):
        click.echo(
            f"cluster {name} is still in {path.name}: if it is the same cluster, the next plan reads "
            "its own copy of the state again"
        )


@state.command("rename")
@document_options
@click.argument("old")
@click.argument("new")
@yes_option
def rename_command(*, path: Path, contexts: tuple[str, ...], old: str, new: str, yes: bool) -> None:
    """Move the record of cluster OLD to the name NEW, which the file must have; its identity stays."""
    from mesh.state.rename_cluster import renamed

    mesh = load(path, contexts)
    store = store_of(path)
    with store.held("state rename", _now()):
        lock = renamed(store.read(mesh.name), mesh, old, new)
        confirm(f"Move the record of cluster {old} to the name {new}.", yes=yes)
        store.rewrite(_next(lock))
    click.echo(f"cluster {old} is recorded as {new}; `mesh plan` checks that it is the same cluster")


@state.command("unlock")
@document_options
@click.option("--cluster", required=True, metavar="NAME", help="The cluster whose lease is to go.")
@click.option("--id", "run", required=True, metavar="ID", help="The run that holds it, as it was printed.")
def unlock_command(*, path: Path, contexts: tuple[str, ...], cluster: str, run: str) -> None:
    """Delete the lease of a run that is dead: only a person can tell that it is."""
    from mesh.state.lease_holder import unlock

    here = open_session(path, contexts, licence=False, recorded=_known(path, contexts))
    if cluster not in here.world.kubes:
        raise UsageError(f"there is no cluster {cluster!r}", hint="name one of the file")
    with here.store.held("state unlock", here.world.clock.now()):
        seen = unlock(here.mesh.name, cluster, run, here.world.kube(cluster))
    click.echo(
        f"cluster {cluster} was locked by {seen}; it is free" if seen else f"cluster {cluster} is free"
    )


def _forgotten(lock: State, clusters: frozenset[str], addresses: frozenset[Key]) -> frozenset[Key]:
    """The recorded keys that are meant; raise UsageError for what is not recorded."""
    unknown = [f"cluster {name}" for name in sorted(clusters - lock.clusters.keys())]
    unknown += [str(key) for key in sorted(addresses - lock.entries.keys())]
    if unknown:
        raise UsageError(f"not recorded: {', '.join(unknown)}", hint="`mesh state show` lists what is")
    return addresses | {key for key in lock.entries if key.cluster in clusters}


def _next(lock: State, **changes: object) -> State:
    """A lock that is newer than every copy of it."""
    return replace(lock, serial=lock.serial + 1, run=str(uuid4()), **changes)  # type: ignore[arg-type]  # fields of Lock


def _known(path: Path, contexts: tuple[str, ...]) -> Mapping[str, ClusterIdentity]:
    """The clusters of a lockfile that may be damaged."""
    lock = _readable(store_of(path), load(path, contexts).name)
    return lock.clusters if lock else {}


def _readable(store: Store, mesh: str) -> State | None:
    """The lockfile, or None if there is none or it is damaged: that is what a rebuild is for."""
    try:
        return store.read(mesh)
    except StateError:
        return None


def _now() -> datetime:
    return datetime.now(UTC)
