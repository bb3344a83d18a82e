"""Pure functions of the product whose answers are kept, so that a seed takes milliseconds.

Each gives the same answer for the same arguments; of times only the date counts here, and nothing expires in
the hours that a simulation lasts.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

import mesh.cli.before_run
import mesh.cli.plan
import mesh.engine.rebuild_state
import mesh.engine.verbs
import mesh.model.mask
import mesh.providers.chart
import mesh.providers.chart.observe
import mesh.state.lockfile
import mesh.world.helm.releases
from mesh.cli.views.plan_text import no_changes
from mesh.world import pki

Swap = tuple[Any, str, Any]
MOST = 4096


def swaps() -> list[Swap]:
    """Return what to put where."""
    releases = mesh.world.helm.releases
    expand, mask = by_mesh(mesh.engine.verbs.expand), by_content(mesh.model.mask.mask)
    return [
        (pki, "describe", lru_cache(MOST)(pki.describe)),
        (pki, "fingerprints_in", lru_cache(MOST)(pki.fingerprints_in)),
        (pki, "check_authority", timeless(pki.check_authority)),
        (pki, "inspect_bundle", timeless(pki.inspect_bundle)),
        (releases, "decode", by_data(releases.decode)),
        (mesh.providers.chart.observe, "mask", mask),
        (mesh.providers.chart, "mask", mask),
        (mesh.engine.verbs, "expand", expand),
        (mesh.engine.rebuild_state, "expand", expand),
        (mesh.state.lockfile, "json", SimpleNamespace(dumps=flat, loads=json.loads)),
        (mesh.cli.before_run, "printed", brief),
        (mesh.cli.plan, "printed", brief),
    ]


def brief(plan: Any, _how: str, _detail: object = None) -> str:
    """Print a plan in one line: what it claims, and how many steps it has."""
    return f"{no_changes(plan)}\n" if plan.empty else f"Plan: {len(plan.steps)} steps.\n"


def flat(value: Any, *, indent: int = 0, **how: Any) -> str:
    """`json.dumps` without line breaks, which only the slow encoder makes."""
    return json.dumps(value, **how)


def timeless(check: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """Return the check without the time in its key."""
    known: dict[Any, Any] = {}

    def kept(what: Any, now: Any) -> Any:
        if what not in known:
            known[what] = check(what, now)
        return known[what]

    return kept


def by_data(decode: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return a decoder of releases that unpacks each record once."""
    known: dict[Any, Any] = {}

    def kept(secret: Any) -> Any:
        key = secret["metadata"].get("uid"), (secret.get("data") or {}).get("release", "")
        if key not in known:
            known[key] = decode(secret)
        return known[key]

    return kept


def by_mesh(expand: Callable[..., Any]) -> Callable[..., Any]:
    """Return an expansion that is made once for each mesh file."""
    known: dict[int, tuple[Any, Any]] = {}

    def kept(mesh_file: Any, kinds: Any = None) -> Any:
        if id(mesh_file) not in known:
            known[id(mesh_file)] = mesh_file, expand(mesh_file, kinds)
        return known[id(mesh_file)][1]

    return kept


def by_content(mask: Callable[..., Any]) -> Callable[..., Any]:
    """Return a mask that treats equal values once; what it returns is never changed in place."""
    known: dict[str, Any] = {}

    def kept(values: Any, *rest: Any, **named: Any) -> Any:
        key = f"{values!r} {rest!r} {named!r}"
        if key not in known:
            known[key] = mask(values, *rest, **named)
        return known[key]

    return kept
