"""Switch between manual and automatic links: order the removal, and warn about the outage between; pure.

A manual link and a distributed peer are Gateways of one name, so they cannot exist at the same time. That is
why one kind must be gone everywhere before the other begins: a peer that the management plane creates beside
a manual link would be reported as another owner's object, and calls would follow whichever came last.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from mesh.istio.addresses import chart_key, is_link, is_peer, peer_key, starts_automatic_links
from mesh.model import Action, Found, Key, Live, Step
from mesh.providers.peer import BY_HAND, REPLACED
from mesh.state.lockfile import State


def manual_first(steps: Mapping[Key, Step]) -> dict[Key, Step]:
    """Return the steps; what starts automatic linking, or waits for it, needs every manual link deleted."""
    gone = _manual_links(steps)
    return {
        key: replace(step, needs=step.needs | gone) if gone and _begins(step) else step
        for key, step in steps.items()
    }


def gap(steps: Mapping[Key, Step]) -> list[str]:
    """Return the warning about calls that fail between the last manual link and the first automatic one."""
    return _announced(
        _manual_links(steps),
        before="the links made by mesh are removed before automatic linking is switched on",
        until="the management plane has distributed its peers",
    )


def without_distributed(
    found: Mapping[Key, Found], wanted: Mapping[Key, object], state: State
) -> Mapping[Key, Found]:
    """Return what was found; a link counts as missing while a distributed peer has its name.

    Only a recorded peer counts. Any other object there has an owner, and is refused like all such objects.
    """
    missing = {key: None for key in wanted if is_link(key) and _is_distributed(key, found, wanted, state)}
    return {**found, **missing}


def _is_distributed(
    link: Key, found: Mapping[Key, Found], wanted: Mapping[Key, object], state: State
) -> bool:
    key = peer_key(link.cluster, link.name)
    there, peer = found.get(link), found.get(key)
    return (
        key in state.entries
        and key not in wanted
        and isinstance(there, Live)
        and isinstance(peer, Live)
        and there.uid == peer.uid
        and not (peer.status[BY_HAND] or peer.status[REPLACED])
    )


def automatic_first(steps: Mapping[Key, Step], found: Mapping[Key, Found]) -> dict[Key, Step]:
    """Return the steps; manual links need every distributed peer gone, and peers the istiods that made them.

    The management plane is switched off after that: it is what deletes the peers.
    """
    going = frozenset(key for key, step in steps.items() if is_peer(key) and isinstance(found.get(key), Live))
    return {key: _back(key, step, steps, found, going) for key, step in steps.items()}


def _back(
    key: Key, step: Step, steps: Mapping[Key, Step], found: Mapping[Key, Found], going: frozenset[Key]
) -> Step:
    live = found.get(key)
    if key in going and isinstance(live, Live):
        istiod = {chart_key(key.name, "istiod")} & steps.keys()
        why = "the management plane deletes it when istiod makes no peers any more"
        return replace(step, action=Action.DELETE, expects=live.token, why=why, needs=step.needs | istiod)
    return replace(step, needs=step.needs | going) if going and is_link(key) else step


def blocked_by_peers(steps: Mapping[Key, Step]) -> frozenset[Key]:
    """Return the links that are made in the place of a distributed peer; no dry run can try them before."""
    return frozenset(
        key for key, step in steps.items() if is_link(key) and any(is_peer(need) for need in step.needs)
    )


def gap_back(steps: Mapping[Key, Step]) -> list[str]:
    """Return the warning about calls that fail between the last peer and the first manual link."""
    return _announced(
        blocked_by_peers(steps),
        before="automatic linking is switched off, and its peers are deleted, before mesh makes its links",
        until="the links are made",
    )


def _announced(links: frozenset[Key], *, before: str, until: str) -> list[str]:
    pairs = ", ".join(f"{key.cluster} to {key.name}" for key in sorted(links))
    return [f"{before}: calls from {pairs} fail from then until {until}"] if pairs else []


def _manual_links(steps: Mapping[Key, Step]) -> frozenset[Key]:
    return frozenset(key for key, step in steps.items() if is_link(key) and step.action is Action.DELETE)


def _begins(step: Step) -> bool:
    return is_peer(step.key) or starts_automatic_links(step.key)
