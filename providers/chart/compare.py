"""Compare a live object with its rendering: what was changed, removed and added outside helm; pure.

Three sides decide: what helm rendered, what is live, and who wrote which field. A field that the API server
adds has no writer; what Kubernetes' and Istio's own controllers write stays. Everything else that differs
from the rendering is drift.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from mesh.model import ABSENT, Path, Touch
from mesh.model.bounded_text import SMALL, Unfit, loads
from mesh.model.diff import named

HELM = ("helm", "Helm", "mesh/")
SYSTEM = ("kube-controller-manager", "kube-scheduler", "kube-apiserver", "kubelet", "pilot-discovery")
"""Field managers of Kubernetes and of istiod: replicas under an autoscaler, revisions, a webhook's CA."""

KEPT = ("labels", "annotations")
"""What counts of an object's metadata."""

PASSING = frozenset(
    {
        "deployment.kubernetes.io/revision",
        "deprecated.daemonset.template.generation",
        "kubectl.kubernetes.io/last-applied-configuration",
        "kubectl.kubernetes.io/restartedAt",
        "app.kubernetes.io/managed-by",
        "meta.helm.sh/release-name",
        "meta.helm.sh/release-namespace",
    }
)
"""Labels and annotations that are notes of tools; taking `restartedAt` back would restart the pods again."""

UNIT = {"m": "0.001", "": "1", "k": "1e3", "M": "1e6", "G": "1e9", "T": "1e12"}
UNIT |= {"Ki": "1024", "Mi": str(1024**2), "Gi": str(1024**3), "Ti": str(1024**4)}
_QUANTITY = re.compile(r"(\d+(?:\.\d+)?)(m|k|M|G|T|Ki|Mi|Gi|Ti)?")
SIZED = frozenset({"limits", "requests", "hard", "sizeLimit", "averageValue", "divisor", "storage"})


@dataclass(frozen=True, slots=True)
class Difference:
    """One path with another value than the rendering; `wanted` is ABSENT for what was added."""

    path: Path
    live: Any = field(repr=False)
    wanted: Any = field(repr=False)
    touch: Touch | None = None


def compare(wanted: Mapping[str, Any], live: Mapping[str, Any]) -> tuple[Difference, ...]:
    """Return what differs between a rendering and the live object."""
    owners = _owners(live)
    return tuple(_mapping(_shown(wanted), _shown(live), (), owners))


def _shown(obj: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a person may change: no names, no status."""
    meta = obj.get("metadata") or {}
    rest = {
        name: value for name, value in obj.items() if name not in {"apiVersion", "kind", "metadata", "status"}
    }
    return {"metadata": {name: meta[name] for name in KEPT if meta.get(name)}, **rest}


def _mapping(
    wanted: Mapping[str, Any], live: Mapping[str, Any], at: Path, owners: Owners
) -> Iterator[Difference]:
    for name in [*wanted, *(each for each in live if each not in wanted)]:
        path = (*at, str(name))
        if name in PASSING and at and at[-1] in KEPT:
            continue
        if name not in wanted:
            yield from _added(live[name], path, owners)
        elif name not in live:
            yield from _removed(wanted[name], path, owners)
        else:
            yield from _value(wanted[name], live[name], path, owners)


def _value(wanted: Any, live: Any, at: Path, owners: Owners) -> Iterator[Difference]:
    if isinstance(wanted, Mapping) and isinstance(live, Mapping):
        yield from _mapping(wanted, live, at, owners)
    elif isinstance(wanted, list) and isinstance(live, list) and _alike(wanted, live):
        yield from _mapping(named(wanted), named(live), at, owners)
    elif not _same(wanted, live, at) and not _is_systems(who := owners.of(at)):
        yield Difference(at, live, wanted, who)


def _alike(wanted: list[Any], live: list[Any]) -> bool:
    """Return whether two lists are compared item by item: by name, or by place if they are of one length."""
    if not wanted or not live:
        return False
    by_name = "[0]" not in named(wanted), "[0]" not in named(live)
    return all(by_name) or (not any(by_name) and len(wanted) == len(live))


def _removed(wanted: Any, at: Path, owners: Owners) -> Iterator[Difference]:
    # The API server drops many empty values; only in data, labels and annotations is an empty one a value.
    empty = wanted in (None, "", 0, False) or wanted in ({}, [])
    if empty and not (wanted == "" and at[0] in {"data", "metadata"}):
        return
    who = owners.of(at)
    if not _is_systems(who):
        yield Difference(at, ABSENT, wanted, who)


def _added(live: Any, at: Path, owners: Owners) -> Iterator[Difference]:
    """Yield what another writer added: the whole of it if nothing in it is helm's or a controller's."""
    inside = [each for each in owners.inside(at) if len(each.path) >= len(at)]
    strange = [who for who in inside if not _is_known(who)]
    if not strange:
        # In a list that another writer holds as a whole, a default looks like an addition: only the API
        # server can tell, so no writer is named, and the difference is confirmed.
        if not inside and (who := owners.of(at)) and not _is_known(who):
            yield Difference(at, live, ABSENT)
        return
    whole = len(strange) == len(inside) and not (isinstance(live, Mapping) and at[-1] in KEPT)
    if whole or not isinstance(live, Mapping | list):
        yield Difference(at, live, ABSENT, max(strange, key=lambda who: who.time))
        return
    for name, item in named(live).items():
        yield from _added(item, (*at, str(name)), owners)


def _is_systems(who: Touch | None) -> bool:
    return who is not None and who.manager.startswith(SYSTEM)


def _is_known(who: Touch) -> bool:
    return who.manager.startswith((*SYSTEM, *HELM))


def _same(wanted: Any, live: Any, at: Path) -> bool:
    if isinstance(wanted, bool) or isinstance(live, bool):
        return wanted is live
    if wanted == live or (wanted is None and not live):
        return True
    if wanted in ({}, []) and live in ({}, []):
        return True
    if SIZED & set(at):
        one, other = _number(wanted), _number(live)
        return one is not None and one == other
    return False


def _number(value: Any) -> Decimal | None:
    found = _QUANTITY.fullmatch(str(value))
    return Decimal(found[1]) * Decimal(UNIT[found[2] or ""]) if found else None


@dataclass(frozen=True, slots=True)
class Owners:
    """Who wrote which field of an object, by paths as `named` gives them."""

    touches: tuple[Touch, ...]

    def of(self, path: Path) -> Touch | None:
        """Return the last writer of a path other than helm: of its own, or of the nearest around it."""
        around = [
            each
            for each in self.touches
            if path[: len(each.path)] == each.path and not each.manager.startswith(HELM)
        ]
        return max(around, key=lambda each: (len(each.path), each.time), default=None) or next(
            (each for each in self.inside(path) if not each.manager.startswith(HELM)), None
        )

    def inside(self, path: Path) -> list[Touch]:
        """Return the writers of a value and of everything in it."""
        return [
            each
            for each in self.touches
            if each.path[: len(path)] == path or path[: len(each.path)] == each.path
        ]


def _owners(live: Mapping[str, Any]) -> Owners:
    entries = live["metadata"].get("managedFields") or []
    return Owners(
        tuple(
            Touch(path, str(entry.get("manager", "")), str(entry.get("time", "")))
            for entry in entries
            if entry.get("subresource") != "status"
            for path in _paths(entry.get("fieldsV1") or {}, live, ())
            if path[-1] not in PASSING
        )
    )


def _paths(fields: Mapping[str, Any], live: Any, at: Path) -> Iterator[Path]:
    """Yield the paths of an entry of managedFields; what is no longer there is left out."""
    for name, inner in fields.items():
        kind, _, rest = name.partition(":")
        if kind == "f" and isinstance(live, Mapping) and rest in live:
            if inner:
                yield from _paths(inner, live[rest], (*at, rest))
            else:
                yield (*at, rest)
        elif kind in {"k", "v"} and isinstance(live, list):
            part = _item(kind, rest, live)
            if part and inner and inner != {".": {}}:
                yield from _paths(inner, named(live)[part], (*at, part))
            elif part:
                yield (*at, part)


def _item(kind: str, text: str, live: list[Any]) -> str:
    """Return the part of the path for the item that a key of managedFields names; "" if there is none."""
    try:
        key = loads(text, SMALL)
    except Unfit:  # it comes from a cluster
        return ""
    return next((part for part, item in named(live).items() if _is_item(kind, key, item)), "")


def _is_item(kind: str, key: Any, item: Any) -> bool:
    if kind == "v":
        return bool(item == key)
    return (
        isinstance(item, Mapping)
        and isinstance(key, Mapping)
        and all(item.get(name) == value for name, value in key.items())
    )
