"""`mesh recover`: set a release free that somebody's killed helm left pending."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import click

from mesh.cli.confirm import confirm
from mesh.cli.session import document_options, open_session
from mesh.engine.session import Session
from mesh.errors import HelmError, KubeError, RefusedError, UsageError
from mesh.model import Key, Live, Place, Unread
from mesh.state.lease import Leases
from mesh.state.lease_holder import Holder
from mesh.world.helm.releases import ReleaseView, unlock


def address(_ctx: click.Context, _param: click.Parameter, value: str) -> Key:
    """Read the address of a release."""
    try:
        key = Key.parse(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    if key.kind != "chart":
        raise click.BadParameter(f"{key} is no release: chart/CLUSTER/NAME expected")
    return key


@click.command("recover")
@document_options
@click.argument("key", metavar="ADDRESS", callback=address)
@click.option("--yes", is_flag=True, help="Do not ask.")
def recover_command(*, path: Path, contexts: tuple[str, ...], key: Key, yes: bool) -> None:
    """Mark a release as failed that a killed helm left pending, so that the next apply goes on.

    What a run of this mesh left behind needs no recovering. Nothing is uninstalled or rolled back.
    """
    here = open_session(path, contexts, licence=False)
    clock = here.world.clock
    with here.store.held("recover", clock.now()):
        lineage = here.store.read(here.mesh.name).lineage
        holder = Holder.here("recover", lineage, here.store.place(), clock.now())
        if key.cluster not in here.world.kubes:
            raise UsageError(f"there is no cluster {key.cluster!r}", hint="name one of the file")
        leases = Leases(here.mesh.name, holder, clock, here.world.kubes)
        with leases.hold(str(uuid4()), {key.cluster: ""}) as held:
            for warning in held.warnings:
                click.echo(f"Warning: {warning}", err=True)
            _recover(here, key, yes=yes)


def _recover(here: Session, key: Key, *, yes: bool) -> None:
    view = _view(here, key)
    place = Place(view.newest.namespace, view.newest.name)
    named = f"release {place.name} in {place.namespace} of cluster {key.cluster}"
    if child := here.world.helm(key.cluster).at_work(place.name, place.namespace):
        raise RefusedError(
            f"{child} is still at work on {named}", hint="let it end; the next apply waits for it"
        )
    if not view.pending:
        click.echo(f"{named} is {view.status}: there is nothing to recover")
        return
    confirm(
        f"{named} is {view.status} since {view.newest.last_deployed} (revision {view.newest.revision}).\n"
        "  No helm of this machine is at work on it. If another machine's is, this breaks its work.\n"
        "  Mark that revision as failed? Nothing is uninstalled or rolled back.",
        yes=yes,
    )
    unlock(here.world.kube(key.cluster), view.secret)
    click.echo(
        f"{named}: revision {view.newest.revision} is marked as failed; the next apply goes on from it"
    )


def _view(here: Session, key: Key) -> ReleaseView:
    """The release itself, found as a plan finds it: an adopted one has a name of its own."""
    from mesh.providers.chart.observe import view_of
    from mesh.world import Snapshot

    found = here.kinds[key.kind].observe({key: _place(here, key)}, Snapshot(key.cluster, here.world))[key]
    if isinstance(found, Unread):
        raise KubeError(found.why)
    view = view_of(found)
    if view is None:
        raise HelmError(f"there is no release for {key}", hint="`mesh apply` installs it")
    if isinstance(found, Live) and found.status["others"]:
        raise HelmError(f"there are several releases for {key}", hint="`mesh plan` lists them")
    return view


def _place(here: Session, key: Key) -> Place:
    """Where the file, or the lockfile, says that the release is."""
    from mesh.planner.expand import expand

    wanted = expand(here.mesh, None).get(key)
    if wanted:
        return wanted.place
    last = here.store.read(here.mesh.name).last(key)
    if last is None:
        raise UsageError(f"{key} is neither in the file nor recorded", hint="`mesh plan` shows the addresses")
    return last.place
