"""`python -m tests.support.fuzz --count 100000 --seed 1`: print what became of the inputs."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.support.fuzz.run import fuzz


def main() -> int:
    options = argparse.ArgumentParser(description="Feed mutated inputs to what reads text from outside.")
    options.add_argument("--count", type=int, default=100_000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--first", type=int, default=0, help="the number of the first input")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        report = fuzz(Path(folder), chosen.count, chosen.seed, chosen.first)
    sys.stdout.write(f"{report}\n")
    return bool(report.broken)


sys.exit(main())
