"""Where a run is recorded: journal, lockfile, and each cluster's copy of the state.

The order around a step is journal, cluster, lockfile, journal. Killed at any byte, nothing is lost and
nothing is done twice:

* before the intent is on disk, nothing was sent: the next plan sees the old state and the old cluster;
* after the intent, the step may or may not have been carried out. The next run reads the intent as an entry
  of status `open`, looks at the cluster, and either adopts what it finds or takes the step again;
* the lockfile is replaced whole, by a rename. Before the rename the intent still stands, so the case is the
  one above. After it the state is true, and the intent that is still open only makes the next run look once
  more at something that is in sync;
* `done` comes last. If it came before the lockfile, a crash between the two would leave an object in the
  cluster that mesh created and no record of it.

The clusters' copies are written after the lockfile and may be older than it; the highest serial wins.
"""

from __future__ import annotations

from dataclasses import dataclass

from mesh.engine.task import Task
from mesh.model import Action
from mesh.sdk.contract import Last
from mesh.state.history import PastRun
from mesh.state.journal import Journal
from mesh.state.lockfile import Entry, State
from mesh.state.publish import Publisher, home
from mesh.state.store import Store


@dataclass(frozen=True, slots=True)
class Recorder:
    """Writes what a run does, in the caller's thread only."""

    store: Store
    journal: Journal
    publisher: Publisher

    def begin(self, state: State, before: int) -> None:
        """Back the lockfile up under its serial, write the state of this run, and open the journal."""
        # The lockfile comes first: it takes over the intents of a run that died, which the journal then
        # drops.
        self.store.backup(before)
        self.store.write(state)
        self.journal.begin(state.run, state.serial, state.lineage)

    def intent(self, task: Task, entry: Entry | None) -> None:
        """Put on disk what is about to be done, and what the state holds if nothing more is heard of it."""
        # What only waits changes nothing and needs no intent.
        if task.step.action is not Action.READ:
            self.journal.intent(task.step.key, task.step.action, entry or Entry(Last(task.place), task.needs))

    def result(self, state: State, task: Task) -> None:
        """Put the state with a step's result on disk, and only then close the intent."""
        self.store.write(state)
        if task.step.action is not Action.READ:
            self.journal.done(task.step.key)

    def share_early(self, state: State, task: Task) -> str:
        """Write a cluster's copy as soon as it has the namespace to hold it; return a warning or ""."""
        # From then on the state survives the loss of this folder, though the run has just begun.
        key = task.step.key
        if task.resource and home(state, key):
            return self.publisher.share(state, key.cluster)
        return ""

    def close(self, state: State, past: PastRun | None) -> tuple[str, ...]:
        """Write the final state everywhere and end the journal; return warnings."""
        return self.publisher.close(state, self.journal, past)
