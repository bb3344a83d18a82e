"""What every verb works with, and what it comes to: a decision about each resource, and a plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from mesh.engine.observe import Observation
from mesh.istio.addresses import LICENCE
from mesh.model import Key, Live, Plan, Sensitive
from mesh.model.spec import Mesh
from mesh.planner.decisions import Decisions
from mesh.planner.inputs import Inputs
from mesh.sdk.contract import Registry
from mesh.state.lockfile import State
from mesh.state.store import Store
from mesh.world import World


@dataclass(frozen=True, slots=True)
class Session:
    """What every verb works with: the desired state, the world, the kinds, the state files."""

    mesh: Mesh
    world: World
    kinds: Registry
    store: Store
    licence: Sensitive | None = None

    def with_licence(self) -> Session:
        """Return the session with the licence at hand; raise MeshError if its source does not have it."""
        from mesh.providers.secret import resolve_licence
        from mesh.world import trace

        licence = resolve_licence(self.mesh.licence, self.world.env, self.world.folder)
        trace.hide(licence.reveal() if licence else "")
        return replace(self, licence=licence)

    def values(self) -> Mapping[Key, Live]:
        """Return what specs refer to and no resource produces."""
        if self.licence is None:
            return {}
        return {LICENCE: Live({}, "", outputs={"value": self.licence})}


@dataclass(frozen=True, slots=True)
class Decided:
    """What the resources were decided from, and the decision about each by itself.

    `recorded` is the state as the lockfile has it, `held` each cluster's copy of it: the newest of
    these is the state that the decisions rest on. `said` are sentences about what was ignored in a copy.
    """

    inputs: Inputs
    decisions: Decisions
    observation: Observation
    recorded: State
    held: Mapping[str, State | None]
    said: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan and everything it was decided from, which an apply needs to carry it out."""

    plan: Plan
    inputs: Inputs
    decisions: Decisions
    observation: Observation
    state: State
    held: Mapping[str, State | None] = field(default_factory=dict)
    """The copy of the state in each cluster that answered."""
