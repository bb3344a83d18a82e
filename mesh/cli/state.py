"""`mesh state`: show the state, rebuild it from the clusters, or correct it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import click

from mesh.cli.confirm import confirm
from mesh.cli.options import keys
from mesh.cli.say import say
from mesh.cli.session import document_options, load, open_session, store_of
from mesh.errors import RefusedError, StateError, UsageError
from mesh.model import Key
from mesh.state.lockfile import ClusterIdentity, State
from mesh.state.store import Store

yes_option = click.option("--yes", is_flag=True, help="Do not ask for confirmation.")


@click.group("state")
def state() -> None:
    """Show the state in mesh.lock, rebuild it from the clusters, or correct it.

    These commands change no running resources.
    """


@state.command("show")
@document_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show_command(*, path: Path, contexts: tuple[str, ...], as_json: bool) -> None:
    """Show the state in mesh.lock and in each cluster's copy, and who holds a lock."""
    from mesh.cli.state_show import shown, shown_json

    here = open_session(path, contexts, recorded=_known(path, contexts))
    click.echo(shown_json(here) if as_json else shown(here), nl=False)


@state.command("rebuild")
@document_options
@click.option("--force", is_flag=True, help="Overwrite a lockfile that is newer or of another lineage.")
def rebuild_command(*, path: Path, contexts: tuple[str, ...], force: bool) -> None:
    """Rebuild mesh.lock from the copies that the clusters store."""
    from mesh.engine.rebuild_state import rebuild, refuse_older

    here = open_session(path, contexts, recorded={})
    with here.store.held("state rebuild", here.world.clock.now()):
        local = _readable(here.store, here.mesh.name)
        found = rebuild(here, local)
        if local and not force:
            refuse_older(found.state, local)
        for line in found.said:
            say(line)
        if local == found.state:
            say(f"{here.store.path.name} already matches the clusters: serial {local.serial}")
            return
        if not found.state.entries:
            raise RefusedError(
                f"no cluster stores a copy of the state of mesh {here.mesh.name!r}: nothing to rebuild from"
            )
        here.store.rewrite(found.state)
    count = len(found.state.entries)
    say(f"{here.store.path.name} written: serial {found.state.serial}, {count} resources")


@state.command("forget")
@document_options
@click.option(
    "--cluster",
    "clusters",
    multiple=True,
    metavar="NAME",
    help="Forget all resources of a cluster. Repeatable.",
)
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
    """Remove resources from mesh.lock. They keep running, and mesh no longer manages them."""
    if not clusters and not addresses:
        raise UsageError("nothing to forget", hint="give one or more addresses, or --cluster NAME")
    here = load(path, contexts)
    store = store_of(path)
    with store.held("state forget", _now()):
        lock = store.read(here.name)
        gone = _forgotten(lock, frozenset(clusters), addresses)
        listed = "\n".join(f"  {key}" for key in sorted(gone))
        confirm(f"Forget {len(gone)} resources:\n{listed}\n  They stay in the clusters, unmanaged.", yes=yes)
        store.rewrite(
            _next(
                lock,
                clusters={name: who for name, who in lock.clusters.items() if name not in clusters},
                written={name: serial for name, serial in lock.written.items() if name not in clusters},
                entries={key: entry for key, entry in lock.entries.items() if key not in gone},
            )
        )
    say(f"{len(gone)} resources forgotten")
    for name in sorted(set(clusters) & {cluster.name for cluster in here.clusters}):
        say(
            f"cluster {name} is still in {path.name}: if it is the same cluster, the next plan restores "
            "its resources from the cluster's own copy of the state"
        )


@state.command("rename")
@document_options
@click.argument("old")
@click.argument("new")
@yes_option
def rename_command(*, path: Path, contexts: tuple[str, ...], old: str, new: str, yes: bool) -> None:
    """Rename cluster OLD to NEW in the state. The mesh file must already use NEW. Its identity stays."""
    from mesh.engine.known_cluster import refuse_other_if_reachable
    from mesh.engine.registry import all_kinds
    from mesh.state.rename_cluster import renamed

    mesh = load(path, contexts)
    store = store_of(path)
    with store.held("state rename", _now()):
        lock = renamed(store.read(mesh.name), mesh, all_kinds(), old, new)
        refuse_other_if_reachable(open_session(path, contexts), new, lock)
        confirm(f"Rename cluster {old} to {new} in the state.", yes=yes)
        store.rewrite(_next(lock))
    say(f"cluster {old} is now {new} in the state; run mesh plan to check that it is the same cluster")


@state.command("unlock")
@document_options
@click.option("--cluster", required=True, metavar="NAME", help="The locked cluster.")
@click.option(
    "--id",
    "run",
    required=True,
    metavar="ID",
    help="The ID of the run that holds the lock, from the error message.",
)
def unlock_command(*, path: Path, contexts: tuple[str, ...], cluster: str, run: str) -> None:
    """Delete the lock of a dead run. Make sure that the run is not in progress before you use this."""
    from mesh.state.lease_holder import unlock

    here = open_session(path, contexts, recorded=_known(path, contexts))
    if cluster not in here.world.kubes:
        raise UsageError(
            f"there is no cluster {cluster!r} in the mesh file", hint="use a cluster of spec.clusters"
        )
    with here.store.held("state unlock", here.world.clock.now()):
        seen = unlock(here.mesh.name, cluster, run, here.world.kube(cluster))
    say(
        f"cluster {cluster} is unlocked; it was locked by {seen}"
        if seen
        else f"cluster {cluster} is not locked"
    )


def _forgotten(lock: State, clusters: frozenset[str], addresses: frozenset[Key]) -> frozenset[Key]:
    """Return the selected keys of the state; raise UsageError for a key or cluster not in it."""
    unknown = [f"cluster {name}" for name in sorted(clusters - lock.clusters.keys())]
    unknown += [str(key) for key in sorted(addresses - lock.entries.keys())]
    if unknown:
        raise UsageError(
            f"not in mesh.lock: {', '.join(unknown)}", hint="run mesh state show to list what is"
        )
    return addresses | {key for key in lock.entries if key.cluster in clusters}


def _next(lock: State, **changes: object) -> State:
    """Return a state with a higher serial than every copy of it."""
    return replace(lock, serial=lock.serial + 1, run=str(uuid4()), **changes)  # type: ignore[arg-type]  # fields of Lock


def _known(path: Path, contexts: tuple[str, ...]) -> Mapping[str, ClusterIdentity]:
    """Return the clusters of a lockfile, () if it is damaged."""
    lock = _readable(store_of(path), load(path, contexts).name)
    return lock.clusters if lock else {}


def _readable(store: Store, mesh: str) -> State | None:
    """Return the state, or None if the lockfile is missing or damaged, which a rebuild repairs."""
    try:
        return store.read(mesh)
    except StateError:
        return None


def _now() -> datetime:
    return datetime.now(UTC)
