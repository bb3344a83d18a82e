"""`make bench`: measure, print the tables, and write them into docs/explanation/performance.md.

It starts one lab for the plan and a second lab for the script, and deletes both at the end.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.imports import imports
from bench.lists import LISTS
from bench.machine import machine
from bench.measure import Command, in_turn, once
from bench.report import Figures, into, text
from bench.rig import MESH, ROOT, Rig, rig
from mesh.state.lockfile import from_text

DOCUMENT = ROOT / "docs" / "explanation" / "performance.md"
LOOKS = 5
WRITES = ("apply", "create", "replace", "delete")

FLOOR = Command("floor", (sys.executable, str(ROOT / "bench" / "floor.py")))
LOWER = Command("floor, standard library", (sys.executable, str(ROOT / "bench" / "floor_stdlib.py")))
PLAN = Command("mesh plan", (MESH, "plan"))
CHECK = Command("mesh check", (MESH, "check"))
HELP = Command("mesh --help", (MESH, "--help"))
CLICK = Command("python -c 'import click'", (sys.executable, "-c", "import click"))
VALIDATE = Command("mesh validate", (MESH, "validate"))
PYTHON = Command("python -c pass", (sys.executable, "-c", "pass"))
APPLY = Command("mesh apply", (MESH, "apply", "--yes"))
SCRIPT = Command("the commands of mesh render", ("/bin/bash", "commands.sh"))


def main() -> None:
    """Measure everything."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--clusters", type=int, default=4)
    parser.add_argument("--runs", type=int, default=11, help="number of measured runs of each command")
    parser.add_argument(
        "--no-write", action="store_true", help="do not update docs/explanation/performance.md"
    )
    wishes = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mesh-bench-") as folder:
        found = measure(Path(folder), wishes.clusters, wishes.runs)
    print(text(found))
    if not wishes.no_write:
        into(DOCUMENT, found)


def measure(folder: Path, clusters: int, runs: int) -> Figures:
    """Measure apply and plan on one lab, and the script on another."""
    for part in ("plan", "script"):
        (folder / part).mkdir()
    say(f"a lab of {clusters} clusters")
    with rig(folder / "plan", clusters) as one:
        say("first apply")
        apply = once(APPLY, one.env, str(one.folder)).wall
        helms = {"apply": one.helms()}
        one.run(MESH, "plan", "--detailed-exitcode")
        say(f"{runs} rounds of plan and floors, of check, help and validate")
        timed = [
            in_turn(commands, one.env, str(one.folder), runs)
            for commands in ((PLAN, FLOOR, LOWER), (CHECK, PLAN), (HELP, CLICK), (VALIDATE, PYTHON))
        ]
        load = os.getloadavg()[0]
        helms["plan"] = one.helms()
        say("profile of a plan")
        looks = [json.loads(one.run(sys.executable, "-m", "bench.inside", "requests")) for _ in range(LOOKS)]
        spent = imports(one, "plan")
        profile = json.loads(one.run(sys.executable, "-m", "bench.inside", "profile"))
        resources = len(from_text((one.folder / "mesh.lock").read_text(), "mesh.lock").entries)
    say("a new lab for the script")
    with rig(folder / "script", clusters) as other:
        script = scripted(other)
    check(looks[0]["requests"], helms)
    return Figures(
        machine=machine(),
        load=load,
        clusters=clusters,
        resources=resources,
        plan=timed[0],
        health=timed[1],
        start=timed[2],
        validate=timed[3],
        apply=apply,
        script=script,
        requests=looks[0]["requests"],
        helms=helms,
        phases=phases([look["marks"] for look in looks]),
        imports=spent,
        profile=profile,
    )


def scripted(fresh: Rig) -> float:
    """Run the guide's commands in sequence on empty clusters; return the seconds."""
    (fresh.folder / "commands.sh").write_text(fresh.run(MESH, "render", "--commands"))
    return once(SCRIPT, fresh.env, str(fresh.folder)).wall


def phases(looks: Sequence[Sequence[tuple[str, float]]]) -> list[tuple[str, float]]:
    """Return the median time of each phase."""
    found: list[tuple[str, float]] = []
    for number, (name, _) in enumerate(looks[0]):
        ends = [look[number][1] for look in looks]
        starts = [look[number - 1][1] if number else 0.0 for look in looks]
        found.append((name, statistics.median(end - start for end, start in zip(ends, starts, strict=True))))
    return found


def check(requests: Mapping[str, Mapping[str, int]], helms: Mapping[str, int]) -> None:
    """Check the promises apart from speed: which collections are read, no writes, no helm process."""
    lists = {path.partition("?")[0].rpartition("/")[2] for path in LISTS}
    for cluster, counted in requests.items():
        listed = {
            name.split()[1].partition(".")[0]: number for name, number in counted.items() if "list " in name
        }
        assert set(listed) == lists, f"{cluster}: the floor reads {sorted(lists)}, mesh {sorted(listed)}"
        assert set(listed.values()) == {1}, f"{cluster}: a collection is read twice: {listed}"
        assert not [name for name in counted if name.startswith(WRITES)], f"{cluster}: {counted}"
    assert not helms["plan"], f"plans without changes started helm {helms['plan']} times"


def say(what: str) -> None:
    """Print progress to stderr."""
    print(f"bench: {what} …", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
