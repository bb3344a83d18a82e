"""The laws: what holds after every run, whatever happened."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from tests.sim.meshes import SYSTEM, Wish, root_of
from tests.sim.network import Written
from tests.sim.scheduler import Process
from tests.sim.world import Run, World

LEASES = "leases.coordination.k8s.io"
COMPLETE = ("Apply complete!", "Destroy complete!")
NO_CHANGES = "No changes. Your clusters match the configuration."


class Broken(AssertionError):  # noqa: N818  # what the law is then
    """A law does not hold."""


@dataclass
class Laws:
    """What is known of a world, to be compared with what is there."""

    world: World
    users: dict[tuple[str, str, str, str], str] = field(default_factory=dict)
    root: str = ""
    crds_lost: set[str] = field(default_factory=set)
    restored: set[str] = field(default_factory=set)
    writers: dict[str, list[Process]] = field(default_factory=dict)
    double: list[str] = field(default_factory=list)

    def begin(self) -> None:
        """Look at what is there before anything happens."""
        self.users = self._users()
        self.root = root_of(self.config)
        self.world.network.on_write = self.written

    @property
    def config(self) -> Path:
        return self.world.room / "config"

    def _users(self) -> dict[tuple[str, str, str, str], str]:
        return {
            (name, *key): obj["metadata"]["uid"] + str(obj.get("data"))
            for name, one in self.world.clusters.items()
            for key, obj in one.api.store.objects.items()
            if key[2].startswith("users-")
        }

    # --- while it runs -------------------------------------------------------------------------------------

    def written(self, each: Written) -> None:
        """One writer at a time: who has written and was followed by another does not write again."""
        if "/leases" in each.path:
            return
        who = self._command(each.who)
        order = self.writers.setdefault(each.cluster, [])
        if order and order[-1] is who:
            return
        if who in order and not who.dead:
            self.double.append(
                f"{each.cluster}: {who.name} wrote again after {order[-1].name}: {each.method} {each.path}"
            )
        order.append(who)

    def _command(self, process: Process) -> Process:
        """Return the command that a helm belongs to."""
        return next(
            (run.process for run in self.world.runs if process.name.endswith(f" of {run.process.name}")),
            process,
        )

    # --- after each run ------------------------------------------------------------------------------------

    def after(self, run: Run, wish: Wish, *, alone: bool) -> None:
        """Check what a command claims, and what it leaves."""
        if run.crash:
            raise Broken(f"{run.process.name} crashed: {run.crash[-1500:]}")
        if self.double:
            raise Broken(f"two writers: {self.double[0]}")
        if run.killed:
            return
        if "internal error" in run.text:
            raise Broken(f"{run.process.name}: {run.text[-600:]}")
        self._gave_back(run)
        claims = run.code == 0 and (NO_CHANGES in run.text or any(each in run.text for each in COMPLETE))
        if claims and alone and run.args[0] in ("apply", "destroy", "plan"):
            wish = wish.changed(destroyed=False) if run.args[0] == "plan" else wish
            if differs := wish.differences(self.world.clusters, self.config):
                raise Broken(f"{run.process.name} claims to be done: {'; '.join(differs)}")

    def _gave_back(self, run: Run) -> None:
        """A command that ended in order holds no lease, or the one that left it said so."""
        place = Path(run.process.folder) / ".mesh" / "id"
        word = place.read_text("ascii")[:32] if place.exists() else "-"
        for name, one in self.world.clusters.items():
            for key, lease in one.of(LEASES):
                mine = f'"place": "{word}' in lease["metadata"].get("annotations", {}).get(
                    "meshform.io/holder", ""
                )
                others = [each for each in self.world.runs if each.process.folder == run.process.folder]
                killed = any(each.killed or each.process.tasks for each in others)
                told = f"--id {lease['spec']['holderIdentity']}"
                if mine and not killed and not any(told in each.text for each in (run, *others)):
                    raise Broken(f"{run.process.name} left the lease {key[2]} of {name} without a word")

    # --- at the end ----------------------------------------------------------------------------------------

    def at_end(self, wish: Wish) -> None:
        """Check everything, when all is in order again."""
        self._users_untouched()
        self._one_root()
        if differs := wish.differences(self.world.clusters, self.config):
            raise Broken(f"in the end: {'; '.join(differs)}")
        self._nothing_twice()
        self._nothing_left(wish)

    def _users_untouched(self) -> None:
        now = self._users()
        for key, there in self.users.items():
            if now.get(key) != there and key[0] not in self.restored:
                raise Broken(f"{key} of a user was {there} and is {now.get(key)}")

    def _one_root(self) -> None:
        root = root_of(self.config)
        if self.root and root != self.root:
            raise Broken("the root of trust has changed")
        if len(list((self.config / "mesh").glob("*/root.key"))) > 1:
            raise Broken("there are two root keys")

    def _nothing_twice(self) -> None:
        if self.restored or self.crds_lost or any(run.args[0] == "destroy" for run in self.world.runs):
            return
        for name, one in self.world.clusters.items():
            for key, times in one.api.made.items():
                once = key[0] in (
                    "secrets",
                    "configmaps",
                    "namespaces",
                    "deployments.apps",
                    "daemonsets.apps",
                )
                if once and times > 1:
                    raise Broken(f"{name}: {key} was made {times} times")

    def _nothing_left(self, wish: Wish) -> None:
        odd = [path for path in self.world.room.rglob("*") if path.name.endswith((".tmp", ".values.json"))]
        mine = [path for path in odd if "/b/" not in str(path)]
        if mine:
            raise Broken(
                f"left on disk: {', '.join(str(each.relative_to(self.world.room)) for each in mine)}"
            )
        if (self.world.room / "a" / ".mesh" / "journal.jsonl").exists():
            raise Broken("the journal stays")
        for name, one in self.world.clusters.items():
            if left := [key[2] for key, _ in one.of(LEASES)]:
                raise Broken(f"{name}: a lease stays: {left}")
            state = one.get("configmaps", SYSTEM, "mesh-demo-state")
            if state is None and not wish.destroyed:
                raise Broken(f"{name} has no copy of the state")
