"""`python -m tests.sim --seeds 20000`: run the simulation, and print each seed that breaks a law.

`--seed N` runs one seed and tells what happens in it.
"""

from __future__ import annotations

import argparse
import os
import sys

if os.environ.get("PYTHONHASHSEED") != "0":
    # The order of sets of text would differ from process to process, and a seed would not repeat its run.
    os.execve(
        sys.executable,
        [sys.executable, "-m", "tests.sim", *sys.argv[1:]],
        {**os.environ, "PYTHONHASHSEED": "0"},
    )

from tests.sim.runs import main

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.sim", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1000, help="how many seeds, from --first on")
    parser.add_argument("--first", type=int, default=0, metavar="N")
    parser.add_argument("--seed", type=int, metavar="N", help="run one seed and tell its story")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument(
        "--fault", default="", metavar="NAME", help="put a known fault back: see known_faults.py"
    )
    parser.add_argument("--most", type=int, default=5, metavar="N", help="stop after so many broken laws")
    sys.exit(main(parser.parse_args()))
