"""Values of a mesh for scripts: names, networks, addresses, the root of trust; pure.

A value that is not known is None, and `unknown` says why.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mesh.model import Found, Key, Live, Unread
from mesh.model.spec import Cluster, Mesh

Value = str | None | Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class RootOutput:
    """The root of trust: fingerprint and PEM, both "" if it is not known; `why` says why."""

    fingerprint: str = ""
    certificate: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Outputs:
    """Every value by its name, in the order of the alphabet; `unknown` is why some are not known."""

    values: Mapping[str, Value]
    unknown: Mapping[str, str]


def outputs(mesh: Mesh, gateways: Mapping[str, Found], root: RootOutput) -> Outputs:
    """Put the outputs together; `gateways` are the east-west gateways by cluster."""
    addresses = {name: _address(found) for name, found in gateways.items()}
    values: dict[str, Value] = {
        "cluster_names": _of(mesh.clusters, "cluster_name"),
        "contexts": _of(mesh.clusters, "context"),
        "eastwest_addresses": addresses,
        "mesh": mesh.name,
        "networks": _of(mesh.clusters, "network"),
        "root_certificate": root.certificate or None,
        "root_fingerprint": root.fingerprint or None,
        "trust_domains": _of(mesh.clusters, "trust_domain"),
    }
    unknown = {f"eastwest_addresses.{name}": why for name, why in _missing(gateways)}
    unknown |= dict.fromkeys(("root_certificate", "root_fingerprint"), root.why) if root.why else {}
    return Outputs(values, unknown)


def pick(found: Outputs, name: str) -> Value:
    """Return an output, or one entry of it (`networks.cluster1`); raise KeyError if there is none."""
    if name in found.values:
        return found.values[name]
    head, _, rest = name.partition(".")
    value = found.values.get(head)
    if not isinstance(value, Mapping) or rest not in value:
        raise KeyError(name)
    return value[rest]


def names(found: Outputs) -> list[str]:
    """Every name that `pick` takes."""
    maps = ((name, each) for name, each in found.values.items() if isinstance(each, Mapping))
    entries = [f"{name}.{key}" for name, each in maps for key in each]
    return [*found.values, *entries]


def _of(clusters: Iterable[Cluster], attribute: str) -> dict[str, str | None]:
    return {cluster.name: str(getattr(cluster, attribute)) for cluster in clusters}


def _address(found: Found) -> str | None:
    endpoint: Any = found.outputs.get("endpoint") if isinstance(found, Live) else None
    return str(endpoint["value"]) if endpoint else None


def _missing(gateways: Mapping[str, Found]) -> Iterator[tuple[str, str]]:
    for name, found in gateways.items():
        match found:
            case Unread(why=why):
                yield name, why
            case None:
                yield name, "its east-west gateway is missing"
            case _ if _address(found) is None:
                yield name, "its east-west gateway has no address"


def root_of(key: Key, found: Mapping[Key, Found]) -> RootOutput:
    """Return the root that signs for this mesh, from its certificate's file or the record."""
    match found.get(key):
        case Live(outputs={"issuer": {"fingerprint": fingerprint, "certificate": chain}}):
            return RootOutput(str(fingerprint), _last(str(chain)))
        case Unread(why=why):
            return RootOutput(why=why)
    return RootOutput(why="it is not made yet")


def shared_root(shown: Mapping[str, RootOutput]) -> RootOutput:
    """Return the one root that every cluster shows."""
    for name, root in sorted(shown.items()):
        if root.why:
            return RootOutput(why=f"cluster {name}: {root.why}")
    if len({root.fingerprint for root in shown.values()}) > 1:
        said = ", ".join(f"{name} {root.fingerprint}" for name, root in sorted(shown.items()))
        return RootOutput(why=f"the clusters have different roots: {said}")
    return next(iter(shown.values()), RootOutput(why="there is no cluster"))


def _last(chain: str) -> str:
    """The last certificate of a chain, which is its root."""
    begin = "-----BEGIN CERTIFICATE-----"
    return begin + chain.rpartition(begin)[2]
