"""What a run knows so far: the state and the outcomes, written by one thread and read by many."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mesh.engine.outcome import Outcome
from mesh.model import Found, Key, Live, Place, Unknown
from mesh.model.refs import Ref, pick
from mesh.sdk.contract import Last
from mesh.state.lockfile import State


@dataclass(slots=True)
class Progress:
    """The state as it will be recorded, and the outcome of each step that has ended.

    Only the caller's thread writes. Workers read without a lock, which is safe for two reasons: a write
    replaces one reference or sets one item of a dict, so no reader sees half of it; and a worker only needs
    what its own dependencies left, and `mesh.walk` hands out a key after `after` has returned for all of
    them. Of other steps a worker may see an older picture.
    """

    found: Mapping[Key, Found]
    state: State
    outcomes: dict[Key, Outcome] = field(default_factory=dict)

    def lookup(self, ref: Ref) -> Any:
        """Return the value of a ref: as its step left it, or as the plan found it if it has no step."""
        outcome = self.outcomes.get(ref.key)
        live = outcome.live if outcome else self.found.get(ref.key)
        return pick(live.outputs, ref) if isinstance(live, Live) else Unknown(ref.key)

    def last(self) -> dict[Key, Last]:
        """Return what the state holds of each resource."""
        return {key: entry.last for key, entry in self.state.entries.items()}

    def place(self, key: Key, default: Place) -> Place:
        """Return where a resource is: what was found by another mark than its name has its own place."""
        found = self.found.get(key)
        return found.place if isinstance(found, Live) and found.place else default
