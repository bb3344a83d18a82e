"""Whether the cluster behind a context is the recorded one, for commands that do not plan."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from mesh.engine.observe import read_uid
from mesh.engine.session import Session
from mesh.errors import KubeError
from mesh.state.identity import check_uids, identities
from mesh.state.lockfile import State
from mesh.world import Kube

SECONDS = 5.0
"""Deadline for a cluster that need not answer."""


def refuse_other(session: Session, cluster: str, state: State) -> None:
    """Raise RefusedError if the context of a cluster leads to another one than the state has.

    Raises KubeError if the cluster does not answer.
    """
    _refuse(session, cluster, state, session.world.kube(cluster))


def refuse_other_if_reachable(session: Session, cluster: str, state: State) -> None:
    """Do the same if the cluster answers; the next plan checks one that does not."""
    with suppress(KubeError):
        _refuse(session, cluster, state, session.world.kube(cluster).within(SECONDS))


def _refuse(session: Session, cluster: str, state: State, kube: Kube) -> None:
    uid = read_uid(kube)
    if before := state.clusters.get(cluster):
        who = identities(session.mesh, {}).get(cluster, before)
        check_uids({cluster: replace(who, uid=uid)}, {cluster: before})
