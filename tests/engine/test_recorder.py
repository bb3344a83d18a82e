"""The order in which a step is recorded: journal, cluster, lockfile, journal."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mesh.engine import plan as planning
from mesh.engine.session import Session
from mesh.model import Action, Key
from mesh.planner.inputs import PlanOptions
from mesh.sdk.contract import Last
from mesh.state.journal import Journal
from mesh.state.lockfile import Entry
from mesh.state.store import Store
from mesh.world import World
from tests.engine.toy import Toy, ToyProvider, carry_out, key, open_session, plan, toy, toys


@dataclass
class Watched(ToyProvider):
    """Toys that look at the files of the run in the moment of the write."""

    store: Store
    seen: list[tuple[list[str], bool]] = field(default_factory=list)

    def create(self, spec: Toy, key: Key, world: World) -> None:
        opened = [line["entry"]["event"] for line in _lines(self.store.journal_path)]
        self.seen.append((opened, key in self.store.read("demo").entries))
        super().create(spec, key, world)


def _lines(path: Path) -> list[Any]:
    import json

    return [json.loads(line) for line in path.read_text().splitlines()]


def test_the_intent_is_on_disk_before_the_cluster_is_written(tmp_path: Path) -> None:
    here = open_session(tmp_path)
    kind = Watched(here.store)
    watched = Session(here.mesh, here.world, {"toy": kind}, here.store)
    carry_out(watched, plan(watched, toy("a")))
    ((events, is_recorded),) = kind.seen
    assert events == ["begin", "intent"]
    assert is_recorded, "an intent reads as an entry of status open"


def test_a_run_that_died_after_the_write_is_adopted_by_the_next(here: Session) -> None:
    """The cluster has it, the lockfile does not: the intent alone says that mesh created it."""
    planned = plan(here, toy("a", out=1))
    here.store.write(planned.state)
    journal = Journal(here.store.journal_path)
    journal.begin("run", 1, "line")
    place = planned.inputs.resources[key("a")].place
    journal.intent(key("a"), Action.CREATE, Entry(Last(place)))
    toys(here.world, "cluster1").put("a", {"out": 1})
    again = plan(here, toy("a", out=1))
    assert again.plan.steps == ()
    carry_out(here, again)
    last = here.store.read("demo").entries[key("a")].last
    assert (last.status, last.created, here.store.interrupted) == ("ok", True, False)


def test_a_run_without_steps_records_nothing_unless_the_last_one_died(here: Session) -> None:
    carry_out(here, plan(here, toy("a")))
    text = here.store.path.read_bytes()
    options = PlanOptions()
    carry_out(here, planning.plan(here, {key("a"): toy("a")}, options))
    assert here.store.path.read_bytes() == text
