"""What came of the checks that a test had asked of real clusters: it is then held to what it says it shows.

A test with the mark `breaks` names checks. Each must have failed while it ran, and passed after that.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

from mesh.queries.checks.model import CheckResult

SEEN: list[tuple[str, str]] = []
"""Check and state, in the order in which they came, since the running test began."""


def note(results: Iterable[CheckResult]) -> None:
    """Take down results of this process."""
    SEEN.extend((each.check.id, each.state.value) for each in results)


def note_printed(args: tuple[str, ...], out: str) -> None:
    """Take down what `mesh check --json` printed."""
    if args[:1] == ("check",) and "--json" in args and out.startswith("{"):
        SEEN.extend((each["id"], each["state"]) for each in json.loads(out)["results"])


def not_shown(names: Iterable[str]) -> list[str]:
    """Those of some checks that did not first fail and then pass."""
    return [name for name in names if not _shown([state for known, state in SEEN if known == name])]


def _shown(states: list[str]) -> bool:
    return "failed" in states and "passed" in states[states.index("failed") :]


def broken_by(module: ModuleType) -> dict[str, set[str]]:
    """The checks that the tests of a module say they break, with the tests' names."""
    found: dict[str, set[str]] = {}
    for name, test in vars(module).items():
        for mark in getattr(test, "pytestmark", ()) if name.startswith("test_") else ():
            for check in _named(mark):
                found.setdefault(check, set()).add(f"{Path(str(module.__file__)).name}::{name}")
    return found


def _named(mark: object) -> list[str]:
    """The checks of a mark, or of the marks that its parameters carry."""
    if getattr(mark, "name", "") == "breaks":
        return list(mark.args)  # type: ignore[attr-defined]
    if getattr(mark, "name", "") != "parametrize":
        return []
    rows = mark.args[1]  # type: ignore[attr-defined]
    return [check for row in rows for each in getattr(row, "marks", ()) for check in _named(each)]
