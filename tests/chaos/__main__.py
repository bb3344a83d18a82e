"""`make chaos`: disturbed runs on a lab of its own, each drawn from a seed.

Every run is written to a file of JSON lines; seeds that are in it are not run again, so that a stopped series
goes on where it was. `--summary` prints the table of docs/explanation/reliability.md.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mesh.lab import Lab
from tests.chaos.damage import damage
from tests.chaos.runs import MISCHIEFS, Drawn, Ground, one_run


def recorded(path: Path) -> list[dict[str, Any]]:
    """Return the runs of a file."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def summary(runs: list[dict[str, Any]]) -> str:
    """Return the table: runs and what was wrong, by mischief."""
    by: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for run in runs:
        by[run["mischief"]].append(run)
    lines = [
        "| disturbance | runs | disturbed run's exit codes | wrong afterwards | dates |",
        "|---|---|---|---|---|",
    ]
    for mischief, some in sorted(by.items()):
        codes: dict[int, int] = defaultdict(int)
        for run in some:
            for code in run["codes"]:
                codes[code] += 1
        said = ", ".join(f"{code}: {count}" for code, count in sorted(codes.items()))
        dates = sorted({run["date"] for run in some})
        bad = sum(bool(run["wrong"]) for run in some)
        lines.append(f"| {mischief} | {len(some)} | {said} | {bad} | {', '.join(dates)} |")
    return "\n".join(lines) + "\n"


def say(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def series(lab: Lab, folder: Path, path: Path, seeds: range, until: float, mischiefs: tuple[str, ...]) -> int:
    """Run the seeds that are not in the file; return how many were wrong."""
    known = {run["seed"] for run in recorded(path) if run["mischief"] in mischiefs}
    ground, bad = None, 0
    for seed in seeds:
        if seed in known or time.monotonic() > until:
            continue
        ground = ground or Ground.made(lab, folder)
        drawn = Drawn.of(seed, mischiefs)
        run = {**one_run(ground, drawn), "date": datetime.now(UTC).date().isoformat()}
        with path.open("a") as file:
            file.write(json.dumps(run) + "\n")
        what = f"{drawn.operation}, {drawn.mischief} {drawn.detail}"
        say(f"seed {seed}: {what}: {run['codes']} {run['wrong'] or 'good'}")
        bad += bool(run["wrong"])
    return bad


def main() -> int:
    """Run what the command line says."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--runs", type=int, default=300)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--file", type=Path, default=Path("chaos.jsonl"))
    parser.add_argument("--minutes", type=float, default=600.0, help="begin no run after so many minutes")
    parser.add_argument("--only", choices=MISCHIEFS, action="append", default=[])
    parser.add_argument("--summary", action="store_true", help="print the table of the runs in the file")
    parser.add_argument(
        "--damage", action="store_true", help="damage lockfile and journal at every byte and bit"
    )
    args = parser.parse_args()
    if args.damage:
        say(damage())
        return 0
    if args.summary:
        say(summary(recorded(args.file)))
        return 0
    until = time.monotonic() + args.minutes * 60
    with tempfile.TemporaryDirectory(prefix="mesh-chaos-") as name:
        lab = Lab.open("chaos", folder=Path(name) / "lab")
        try:
            lab.up(clusters=2, nodes=1)
            seeds = range(args.first, args.first + args.runs)
            bad = series(lab, Path(name), args.file, seeds, until, tuple(args.only) or MISCHIEFS)
        finally:
            lab.down()
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())
