"""Measure the imports of a command per package: `python -X importtime`, minimum of several runs."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping

from bench.rig import Rig

RUNS = 5
_LINE = re.compile(r"import time: +(-?\d+) \| +-?\d+ \| +(\S+)")
NAMED = {
    "click": "click",
    "cryptography": "cryptography",
    "mesh": "mesh",
    "annotated_types": "pydantic",
    "pydantic": "pydantic",
    "pydantic_core": "pydantic",
    "typing_extensions": "pydantic",
    "typing_inspection": "pydantic",
    "urllib3": "urllib3",
    "yaml": "yaml",
}
"""Packages that are listed separately, with the reason for each."""


def imports(rig: Rig, *args: str) -> Mapping[str, tuple[int, float]]:
    """Return the number of modules and the milliseconds of each package, slowest first."""
    least: dict[str, float] = {}
    for _ in range(RUNS):
        argv = (sys.executable, "-X", "importtime", "-m", "mesh", *args)
        done = subprocess.run(
            argv, cwd=rig.folder, env=dict(rig.env), check=True, capture_output=True, text=True
        )
        for own, name in _LINE.findall(done.stderr):
            spent = abs(int(own)) / 1000  # a module that another thread waits for is counted below zero
            least[name] = min(spent, least.get(name, spent))
    modules = Counter(_group(name) for name in least)
    spent_by = dict.fromkeys(modules, 0.0)
    for name, spent in least.items():
        spent_by[_group(name)] += spent
    dearest = sorted(modules, key=lambda group: -spent_by[group])
    return {group: (modules[group], spent_by[group]) for group in dearest}


def _group(name: str) -> str:
    return NAMED.get(name.partition(".")[0], "the standard library")
