"""A stand-in for the management plane: it copies the peer of each istiod to all other clusters.

It runs while the server of chart `gloo-platform` is ready in one cluster with the feature enabled, for
every cluster that is registered and accepted there and has the releases of the guide.
See docs/explanation/standins.md.
To stop it, scale the Deployment `gloo-mesh-mgmt-server` to zero; the copies then stay unchanged.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from mesh.lab.standin import local, objects
from mesh.lab.standin.api import UNREACHABLE, Api, ApiError, Json
from mesh.lab.standin.boot import environment
from mesh.lab.standin.facts import Facts, View
from mesh.lab.standin.objects import Name, at, condition, label
from mesh.lab.standin.writes import Deletion, Write

log = logging.getLogger(__name__)

MANAGER: Final = "gloo-mesh-mgmt-server"
FEATURE: Final = "ConfigDistribution"
#: The source of a copy, so that the copy is deleted with it.
SOURCE: Final = "lab.meshform.io/distributed-from"
ENTERPRISE: Final = "enterprisefeatures.lab.meshform.io"
DISTRIBUTED: Final = "distributedconfigs.lab.meshform.io"
#: Seconds between two looks: the real one takes seconds, too.
PERIOD: Final = 0.5


class Member(Protocol):
    """A cluster of the lab, as seen by its stand-in istiod."""

    context: str

    def view(self) -> View | None:
        """Return its objects; None before the first read."""


class Shown(Protocol):
    """The published facts of every cluster."""

    def all(self) -> Mapping[str, Facts]:
        """Return the facts of every cluster, by context."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One cluster at one moment: the facts from its istiod, and its objects."""

    facts: Facts
    view: View

    def has(self, definition: str) -> bool:
        """Return whether a custom resource definition exists."""
        return ("", definition) in self.view["definitions"]

    @property
    def cluster(self) -> str:
        """The cluster name of its istiod; "" while none is ready."""
        return self.facts.istiod.cluster_id if self.facts.istiod else ""


def run(members: Mapping[str, tuple[Member, Api]], board: Shown, stopping: threading.Event) -> None:
    """Read and distribute until `stopping`."""
    while not stopping.wait(PERIOD):
        facts = board.all()
        views = {name: member.view() for name, (member, _) in members.items()}
        seen = {
            name: Seen(facts[name], view)
            for name, view in views.items()
            if view is not None and name in facts
        }
        for context, due in decided(seen):
            _send(members[context][1], context, due)


def _send(api: Api, context: str, due: Write | Deletion) -> None:
    try:
        due.send(api)
        log.info("%s: %s %s", context, type(due).__name__.lower(), due.path)
    except ApiError as error:
        log.info("%s: %s: %s", context, due.path, error)
    except UNREACHABLE as error:
        log.debug("%s: %s", context, error)


def decided(seen: Mapping[str, Seen]) -> Iterable[tuple[str, Write | Deletion]]:
    """Return every due write with its context: none while no server is ready."""
    management = next((name for name, one in sorted(seen.items()) if _serves(one)), None)
    if management is None:
        return
    accepted = _accepted(seen[management].view)
    members = {name: one for name, one in seen.items() if one.cluster in accepted and one.has(ENTERPRISE)}
    sources = {
        one.cluster: {
            objects.name(peer): peer for peer in one.view["gateways"].values() if local.is_local(peer)
        }
        for one in members.values()
    }
    for name, one in sorted(members.items()):
        wanted = {
            key: _copy(peer, who)
            for who, held in sources.items()
            if who != one.cluster
            for key, peer in held.items()
        }
        yield from ((name, due) for due in _due(wanted, one.view))


def _serves(one: Seen) -> bool:
    """Return whether this is the management cluster with distribution enabled."""
    ready = [pod for pod in one.view["servers"].values() if condition(pod, "Ready").get("status") == "True"]
    on = any(FEATURE in environment(pod).get("FEATURE_GATES", "").split(",") for pod in ready)
    return on and one.has(ENTERPRISE) and one.has(DISTRIBUTED)


def _accepted(view: View) -> frozenset[str]:
    return frozenset(
        name
        for (_, name), one in view["registrations"].items()
        if at(one, "status", "common", "State", "approval") == "ACCEPTED"
    )


def _due(wanted: Mapping[Name, Json], view: View) -> Iterable[Write | Deletion]:
    for key, body in sorted(wanted.items()):
        live = view["gateways"].get(key)
        if live is None or not objects.holds(live, {part: body[part] for part in ("metadata", "spec")}):
            yield Write(local.path(body), body, MANAGER)
    for key, live in sorted(view["gateways"].items()):
        if key not in wanted and label(live, SOURCE):
            yield Deletion(local.path(live), live["metadata"]["uid"])


def _copy(peer: Json, source: str) -> Json:
    about = peer["metadata"]
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "Gateway",
        "metadata": {
            "name": about["name"],
            "namespace": about["namespace"],
            "labels": {**about["labels"], SOURCE: source},
            "annotations": about["annotations"],
        },
        "spec": peer["spec"],
    }
