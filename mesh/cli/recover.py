"""`mesh recover`: unlock a Helm release that a killed helm left pending."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import click

from mesh.cli.confirm import confirm
from mesh.cli.say import say
from mesh.cli.session import document_options, open_session
from mesh.cli.signals import ending
from mesh.engine.known_cluster import refuse_other
from mesh.engine.session import Session
from mesh.errors import HelmError, KubeError, RefusedError, UsageError
from mesh.istio.addresses import is_release
from mesh.model import Key, Live, Place, Unread
from mesh.state.lease import Leases
from mesh.state.lease_holder import Holder
from mesh.world.helm.releases import ReleaseView, unlock


def address(_ctx: click.Context, _param: click.Parameter, value: str) -> Key:
    """Parse the address of a release."""
    try:
        key = Key.parse(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    if not is_release(key):
        raise click.BadParameter(f"{key} is not the address of a release: write chart/CLUSTER/NAME")
    return key


@click.command("recover")
@document_options
@click.argument("key", metavar="ADDRESS", callback=address)
@click.option("--yes", is_flag=True, help="Do not ask.")
def recover_command(*, path: Path, contexts: tuple[str, ...], key: Key, yes: bool) -> None:
    """Unlock a Helm release that a killed helm left pending, so that the next apply can continue.

    The pending revision is marked as failed; nothing is uninstalled or rolled back. Releases that
    an interrupted run of mesh left pending do not need this: the next apply recovers them.
    """
    here = open_session(path, contexts)
    clock = here.world.clock
    with here.store.held("recover", clock.now()):
        lineage = here.store.read(here.mesh.name).lineage
        holder = Holder.here("recover", lineage, here.store.place(), clock.now())
        if key.cluster not in here.world.kubes:
            raise UsageError(
                f"there is no cluster {key.cluster!r} in the mesh file", hint="use a cluster of spec.clusters"
            )
        refuse_other(here, key.cluster, here.store.read(here.mesh.name))
        leases = Leases(here.mesh.name, holder, clock, here.world.kubes, _warn)
        with ending(), leases.hold(str(uuid4()), {key.cluster: ""}):
            _recover(here, key, yes=yes)


def _warn(text: str) -> None:
    say(f"Warning: {text}", err=True)


def _recover(here: Session, key: Key, *, yes: bool) -> None:
    view = _view(here, key)
    place = Place(view.newest.namespace, view.newest.name)
    named = f"release {place.name} in {place.namespace} of cluster {key.cluster}"
    if child := here.world.helm(key.cluster).at_work(place.name, place.namespace):
        raise RefusedError(
            f"{child} is still working on {named}", hint="let it finish; the next apply waits for it"
        )
    if not view.pending:
        say(f"{named} is {view.status}: nothing to recover")
        return
    confirm(
        f"{named} is {view.status} since {view.newest.last_deployed} (revision {view.newest.revision}).\n"
        "  No helm process on this machine works on it. If one on another machine does, do not continue.\n"
        "  Mark that revision as failed? Nothing is uninstalled or rolled back.",
        yes=yes,
    )
    unlock(here.world.kube(key.cluster), view.secret)
    say(f"{named}: revision {view.newest.revision} is marked as failed; run mesh apply to continue")


def _view(here: Session, key: Key) -> ReleaseView:
    """Return the release as a plan finds it: an adopted release may have another name."""
    from mesh.providers.chart.observe import view_of
    from mesh.world.snapshot import Snapshot

    found = here.kinds[key.kind].observe({key: _place(here, key)}, Snapshot(key.cluster, here.world))[key]
    if isinstance(found, Unread):
        raise KubeError(found.why)
    view = view_of(found)
    if view is None:
        raise HelmError(f"there is no release for {key}", hint="run mesh apply to install it")
    if isinstance(found, Live) and found.status["others"]:
        raise HelmError(f"there are several releases for {key}", hint="run mesh plan to list them")
    return view


def _place(here: Session, key: Key) -> Place:
    """Return the place of the release from the mesh file, or from the lockfile."""
    from mesh.planner.expand import expand

    wanted = expand(here.mesh, here.kinds).get(key)
    if wanted:
        return wanted.place
    last = here.store.read(here.mesh.name).last(key)
    if last is None:
        raise UsageError(
            f"{key} is neither in the mesh file nor in mesh.lock", hint="run mesh plan to see the addresses"
        )
    return last.place
