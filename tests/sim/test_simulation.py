"""Seeds of the simulation: no law breaks, and a seed repeats its run."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from tests.sim.known_faults import FAULTS
from tests.sim.runs import played, ready

IN_CI = bool(os.environ.get("CI"))
SEEDS = 1000 if IN_CI else 40
"""A seed takes a tenth of a second of one core."""


def simulated(*args: str) -> subprocess.CompletedProcess[str]:
    """Run the command: in processes of its own, in which sets have one order."""
    command = [sys.executable, "-m", "tests.sim", *args]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=1500)


def test_no_law_breaks_whatever_happens() -> None:
    done = simulated("--seeds", str(SEEDS))
    assert done.returncode == 0, done.stdout + done.stderr
    assert not re.findall(r"^seed (\d+): ", done.stdout, re.MULTILINE), done.stdout


@pytest.mark.parametrize("seed", [307, 1439, 1449, 2926, 4031, 7480])
def test_a_seed_that_once_broke_a_law_keeps_it(seed: int) -> None:
    done = simulated("--seed", str(seed))
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_seed_repeats_its_run() -> None:
    seeds = range(7, 19)
    with ready() as room:
        first = [played(seed, room).written for seed in seeds]
        again = [played(seed, room).written for seed in reversed(seeds)]
    assert first == again[::-1]
    assert len(set(first)) == len(first)


def test_one_seed_tells_its_story() -> None:
    done = simulated("--seed", "10")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "exit 0" in done.stdout
    assert done.stdout.endswith("every law holds\n")


@pytest.mark.skipif(not os.environ.get("MESH_SIM_FAULTS"), reason="takes minutes; run with MESH_SIM_FAULTS=1")
@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_a_known_fault_that_is_put_back_is_found(fault: str) -> None:
    done = simulated("--fault", fault, "--seeds", "2000", "--most", "1")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "python -m tests.sim --seed" in done.stdout  # and the words of this fault: see `Fault.words`
