"""The state of a lockfile joined with the copies in the clusters; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from mesh.errors import RefusedError
from mesh.model import NO_CLUSTER
from mesh.sdk.contract import OPEN, REMOVED
from mesh.state.lockfile import State


def newer(state: State, slices: Mapping[str, State]) -> State:
    """Return a state brought up to date with the slices of the clusters; raise RefusedError on a fork.

    A slice that is newer than the state, or of a cluster that the state does not know, replaces the
    state's entries of its cluster; entries of no cluster come from the newest. A state that was never
    written takes the lineage of the slices.
    """
    # The union is right because a slice is the only writer of its cluster's part: every run writes the
    # slices of all clusters it touched, under their leases, so the newest slice of a cluster is complete
    # for that cluster, however old the others are. In order of serial, so that the newest comes last.
    recorded, before = state.serial, state  # not of the state as it grows: slices may have one serial
    for name, each in sorted(slices.items(), key=lambda item: (item[1].serial, item[0])):
        if state.serial == 0 and not state.entries:
            state = replace(state, lineage=each.lineage)
        _refuse_fork(state, name, each)
        if each.serial > recorded or name not in state.clusters or not state.clusters[name].uid:
            state = _overlaid(state, name, each)
    return with_unfinished(state, before)


def with_unfinished(state: State, before: State) -> State:
    """Return a state with what a killed run of this folder left unfinished and the slices do not name."""
    # A slice is written at the end of a run, so it does not name what a run was creating, or had removed,
    # when it was killed. Whether that exists, and is of this mesh, the cluster says. A cluster that has
    # another name now has its entries under that name.
    known = {NO_CLUSTER, *state.clusters}
    unfinished = {
        key: entry
        for key, entry in before.entries.items()
        if entry.last.status in {OPEN, REMOVED} and key.cluster in known and key not in state.entries
    }
    return replace(state, entries={**state.entries, **unfinished}) if unfinished else state


def _refuse_fork(state: State, cluster: str, other: State) -> None:
    if other.lineage != state.lineage:
        raise RefusedError(
            f"cluster {cluster} holds the state of another lineage of mesh {other.mesh!r} "
            f"({other.lineage}, serial {other.serial}; this lockfile: {state.lineage})",
            hint="use the lockfile that belongs to these clusters, or move this one away and run "
            "`mesh state rebuild`",
        )
    # A run takes the serial after the newest that it read. Two runs with one serial have therefore each
    # not seen the other: neither state contains the other, and a union would hide what one of them did.
    if other.serial == state.serial and other.run != state.run:
        raise RefusedError(
            f"two runs wrote serial {state.serial}: the state in cluster {cluster} and this lockfile have "
            "diverged",
            hint="take the newer lockfile from version control, or run `mesh state rebuild`",
        )


def _overlaid(state: State, cluster: str, part: State) -> State:
    """Return a state with the entries of one cluster replaced by its slice."""
    # By uid as well as by name: the slice may have been written under the cluster's new name, and the
    # entries under the old one would otherwise be deleted as no longer wanted.
    uids = {who.uid for who in part.clusters.values()}
    stale = {cluster, *(name for name, who in state.clusters.items() if who.uid in uids)}
    is_newest = part.serial >= state.serial
    shared = state if not is_newest else part
    entries = {key: entry for key, entry in state.entries.items() if key.cluster not in stale}
    entries |= {key: entry for key, entry in part.entries.items() if key.cluster != NO_CLUSTER}
    return replace(
        state,
        serial=max(state.serial, part.serial),
        run=part.run if is_newest else state.run,
        clusters={name: who for name, who in state.clusters.items() if name not in stale}
        | dict(part.clusters),
        entries={key: entry for key, entry in entries.items() if key.cluster != NO_CLUSTER}
        | {key: entry for key, entry in shared.entries.items() if key.cluster == NO_CLUSTER},
    )
