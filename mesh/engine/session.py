"""What every verb works with, and what it comes to: a decision about each resource, and a plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from mesh.engine.observe import Observation
from mesh.model import Plan, Sensitive
from mesh.model.spec import Mesh
from mesh.planner.decide import Draft, Known
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


@dataclass(frozen=True, slots=True)
class Decided:
    """What is wanted, there and recorded, and what follows for each resource by itself."""

    known: Known
    draft: Draft
    seen: Observation
    recorded: State
    held: Mapping[str, State | None]


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan and all it was decided upon, which apply needs and nobody else."""

    plan: Plan
    known: Known
    draft: Draft
    observation: Observation
    state: State
    held: Mapping[str, State | None] = field(default_factory=dict)
    """The slice of each cluster that answered."""
