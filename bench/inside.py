"""Run a plan without changes in this process and print its requests or its profile as JSON."""

from __future__ import annotations

import cProfile
import json
import pstats
import sys
import time
from collections import Counter, defaultdict
from importlib import import_module
from pathlib import Path
from typing import Any

SLOWEST = 10
MARKS: list[tuple[str, float]] = []


def mark(name: str) -> None:
    """Record the processor time so far, including the start of the interpreter."""
    MARKS.append((name, time.process_time()))


def requests() -> dict[str, dict[str, int]]:
    """Plan once, step by step; return the requests to each cluster."""
    mark("start of Python")
    from mesh.cli.print_plan import printed
    from mesh.cli.session import open_session
    from mesh.engine.verbs import plan

    mark("import of the command, the engine and the kinds")
    for name in ("mesh.config.decode", "mesh.world.helm.client", "mesh.world.kube.client"):
        import_module(name)

    mark("import of the decoder (pydantic, yaml) and the transport (urllib3)")
    here = open_session(Path("mesh.yaml"), ()).with_licence()
    mark("reading and decoding the file, binding the clusters")
    planned = plan(here)
    mark("expanding, observing, comparing, deciding")
    assert planned.plan.empty, "the bench measures a plan without changes"
    printed(planned.plan, "text")
    mark("printing")
    kubes: dict[str, Any] = dict(here.world.kubes)
    return {name: dict(sorted(asked(kube.requests).items())) for name, kube in kubes.items()}


def asked(counted: Counter[tuple[str, str]]) -> Counter[str]:
    """Name each request as `verb resource`."""
    return Counter({f"{verb} {resource}": number for (verb, resource), number in counted.items()})


def profile() -> list[tuple[str, float]]:
    """Return the seconds per package of a second plan, with all modules loaded, in one thread."""
    from mesh.cli.print_plan import printed
    from mesh.cli.session import open_session
    from mesh.engine import observe
    from mesh.engine.verbs import plan

    def one_by_one(work: Any, items: Any, _workers: int) -> dict[Any, Any]:
        return {item: work(item) for item in items}

    def whole() -> str:
        return printed(plan(open_session(Path("mesh.yaml"), ()).with_licence()).plan, "text")

    whole()
    vars(observe)["fan"] = one_by_one  # a profile sees one thread
    with cProfile.Profile() as watch:
        whole()
    spent: defaultdict[str, float] = defaultdict(float)
    for (file, _, name), (_, _, own, _, _) in pstats.Stats(watch).stats.items():  # type: ignore[attr-defined]  # not in its stub
        spent[package(file, name)] += own
    return sorted(spent.items(), key=lambda each: -each[1])[:SLOWEST]


def package(file: str, name: str) -> str:
    """Return the package of a profiled function; for a built-in, its module if known."""
    parts = Path(file).parts
    if "site-packages" in parts:
        return parts[parts.index("site-packages") + 1]
    if "mesh" in parts or "providers" in parts:
        return "mesh"
    if file != "~":
        return "the standard library"
    words = name.replace("'", " ").replace("(", " ").split()
    for word in words:
        if "." in word:
            return word.strip("<>").split(".")[0]
    return "built-in functions"


if __name__ == "__main__":
    if sys.argv[1] == "requests":
        print(json.dumps({"requests": requests(), "marks": MARKS}))
    else:
        print(json.dumps(profile()))
