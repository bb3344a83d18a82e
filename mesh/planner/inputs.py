"""What a plan is decided from: the desired state, the live objects, the state, and the options."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mesh.model import Found, Key, Place, Resource
from mesh.model.graph import Edges
from mesh.planner.selection import EVERYTHING, Selection
from mesh.state.lockfile import Entry, State
from mesh.state.restored import is_gone


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """What the command line asks for beside the file.

    `take` are addresses to take over from another owner, `leave` those to leave to it. `destroy` plans
    the removal of the whole mesh: then `removable` are the kinds that are deleted although they are
    usually kept, and `include_adopted` deletes what was adopted. `new_objects` are releases that may get
    from the chart in their own record what the cluster does not have. `selection` is the part to plan.
    """

    take: frozenset[Key] = frozenset()
    leave: frozenset[Key] = frozenset()
    destroy: bool = False
    removable: frozenset[str] = frozenset()
    include_adopted: bool = False
    new_objects: frozenset[Key] = frozenset()
    selection: Selection = EVERYTHING


@dataclass(frozen=True, slots=True)
class Inputs:
    """Everything that a plan is decided from; `sensitive` are the paths of values the file calls so."""

    resources: Mapping[Key, Resource[Any]]
    edges: Edges
    order: tuple[Key, ...]
    found: Mapping[Key, Found]
    state: State
    now: datetime
    options: PlanOptions = PlanOptions()
    sensitive: tuple[str, ...] = ()

    def unwanted(self) -> dict[Key, Entry]:
        """Return what the state holds and the file does not want, but for what a killed run removed."""
        return {
            key: entry
            for key, entry in self.state.entries.items()
            if key not in self.resources and not is_gone(entry, self.found.get(key))
        }


def places(resources: Mapping[Key, Resource[Any]], state: State) -> dict[Key, Place]:
    """Return where to look for everything that is wanted or recorded; the file wins over the state."""
    recorded = {key: entry.last.place for key, entry in state.entries.items()}
    return recorded | {key: resource.place for key, resource in resources.items()}
