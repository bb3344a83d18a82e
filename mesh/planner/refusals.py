"""Refuse a plan: every reason at once, each with its addresses; pure."""

from __future__ import annotations

from collections.abc import Mapping

from mesh.errors import RefusedError
from mesh.istio.addresses import is_intermediate
from mesh.model import Key, Live
from mesh.planner.inputs import Inputs


def refuse_all(refusals: Mapping[Key, str]) -> None:
    """Refuse the plan, with every reason at once, each with the addresses that it is about."""
    whose: dict[str, list[Key]] = {}
    for key in sorted(refusals):
        whose.setdefault(refusals[key], []).append(key)
    if whose:
        raise RefusedError("\n".join(_addressed(why, keys) for why, keys in whose.items()))


def _addressed(why: str, keys: list[Key]) -> str:
    """A reason that does not say itself what it is about, behind the addresses it holds for."""
    if len(keys) == 1 and str(keys[0]) in why:
        return why
    return f"{', '.join(map(str, keys))}: {why}"


def refuse_several_roots(inputs: Inputs) -> None:
    """Refuse clusters whose own `cacerts`, which mesh only verifies, do not share a root."""
    from mesh.world.pki import one_root

    shown = {
        key.cluster: frozenset(found.status["roots"])
        for key, found in inputs.found.items()
        if is_intermediate(key) and isinstance(found, Live)
    }
    if lines := one_root(shown):
        raise RefusedError("\n".join(lines), hint="give every cluster a cacerts under one root")
