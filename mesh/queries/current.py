"""What every query sees of the clusters: the snapshots and decisions of a plan, without the plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from mesh.engine.observe import Observation, observe
from mesh.engine.session import Decided, Planned, Session
from mesh.engine.verbs import decided
from mesh.errors import MeshError
from mesh.model import Key
from mesh.model.graph import edges, ordered
from mesh.planner.decide import decide
from mesh.planner.decisions import Decisions
from mesh.planner.expand import expand
from mesh.planner.inputs import Inputs, PlanOptions, places
from mesh.queries.states import ResourceState, states
from mesh.state.lockfile import fresh
from mesh.world.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Current:
    """The clusters as they are now, and the state of each resource.

    `snapshots` hold what was read, so that a query can look at more without reading it again. `unreachable`
    says why a cluster did not answer. `note` says why the state of the mesh was not used, "" if it was.
    `said` are sentences about what was ignored in the clusters' copies of the state.
    """

    states: Mapping[Key, ResourceState]
    snapshots: Mapping[str, Snapshot]
    unreachable: Mapping[str, str]
    note: str = ""
    said: tuple[str, ...] = ()

    def of(self, cluster: str) -> tuple[ResourceState, ...]:
        """Return the states of a cluster's resources, by address."""
        return tuple(each for key, each in self.states.items() if key.cluster == cluster)


def current(session: Session) -> Current:
    """Read and decide as a plan does; without the state if that is damaged, or of other clusters.

    A plan ends there, since it must not write. What exists can be shown all the same.
    """
    try:
        return current_of(session, decided(session))
    except MeshError as error:
        inputs, decisions, seen = _without_state(session)
        return _current(session, inputs, decisions, seen, error.message)


def current_of(session: Session, made: Decided | Planned) -> Current:
    """Return what a plan was decided from, and what it decided."""
    here = _current(session, made.inputs, made.decisions, made.observation)
    return replace(here, said=made.said) if isinstance(made, Decided) else here


def _current(
    session: Session, inputs: Inputs, decisions: Decisions, seen: Observation, note: str = ""
) -> Current:
    return Current(states(inputs, decisions, session.kinds), seen.snapshots, seen.unreachable, note)


def _without_state(session: Session) -> tuple[Inputs, Decisions, Observation]:
    resources, state = expand(session.mesh, session.kinds), fresh(session.mesh.name)
    clusters = tuple(cluster.name for cluster in session.mesh.clusters)
    seen = observe(places(resources, state), clusters, {}, session.kinds, session.world, {})
    graph = edges(resources.values())
    options = PlanOptions(leave=frozenset(session.mesh.leave))
    now = session.world.clock.now()
    inputs = Inputs(
        resources,
        graph,
        ordered(graph),
        {**seen.found, **session.values()},
        state,
        now,
        options,
        session.mesh.sensitive,
    )
    return inputs, decide(inputs, session.kinds), seen
