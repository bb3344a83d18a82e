"""The cluster behind a context, for commands that do not plan."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mesh.engine.known_cluster import refuse_other, refuse_other_if_reachable
from mesh.engine.session import Session
from mesh.errors import KubeError, RefusedError
from mesh.state.lockfile import ClusterIdentity, State
from tests.engine.toy import toys

WHO = ClusterIdentity("uid-of-cluster1", "cluster1", "cluster1", "cluster1.local", context="cluster1")
STATE = State("demo", "line", clusters={"cluster1": WHO})
OTHER = replace(STATE, clusters={"cluster1": replace(WHO, uid="another")})


def test_the_recorded_cluster_passes_and_so_does_an_unrecorded_one(here: Session) -> None:
    refuse_other(here, "cluster1", STATE)
    refuse_other(here, "cluster2", STATE)


def test_another_cluster_behind_the_context_is_refused(here: Session) -> None:
    for refuse in (refuse_other, refuse_other_if_reachable):
        with pytest.raises(
            RefusedError, match="context cluster1 leads to kube-system uid-of-cluster1, the state"
        ):
            refuse(here, "cluster1", OTHER)


def test_a_cluster_that_does_not_answer_is_an_error_only_where_it_must_be_known(here: Session) -> None:
    toys(here.world, "cluster1").down = True
    with pytest.raises(KubeError):
        refuse_other(here, "cluster1", OTHER)
    refuse_other_if_reachable(here, "cluster1", OTHER)
