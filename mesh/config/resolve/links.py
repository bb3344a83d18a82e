"""Resolve the links of the file into ordered pairs of clusters."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from mesh.config.schema.mesh_file import LinkPart, SpecPart
from mesh.config.schema.messages import did_you_mean
from mesh.config.source.document import Trail
from mesh.config.source.problems import Problems
from mesh.config.source.scalars import shown
from mesh.model import Origin
from mesh.model.spec import Cluster, Link

AT: Trail = ("spec", "links")


def links(spec: SpecPart, clusters: tuple[Cluster, ...], report: Problems) -> tuple[Link, ...]:
    """Return one link for each ordered pair, sorted."""
    if isinstance(spec.links, str):
        origin = report.origin(AT) if AT in report.doc.values else None
        pairs = ((one, two) for one in clusters for two in clusters if one.name != two.name)
        return tuple(sorted(Link(one.name, two.name, origin or one.origin) for one, two in pairs))
    if not isinstance(spec.links, list):
        return ()  # a management plane creates the links
    known = frozenset(written_names(report.doc.data))
    if not known:
        return ()  # the clusters have problems of their own, which are reported
    found: dict[tuple[str, str], Origin] = {}
    for index, part in enumerate(spec.links):
        for link in _pairs(part, (*AT, index), known, report):
            first = found.setdefault((link.source, link.target), link.origin)
            if first is not link.origin:
                what = f"duplicate link from {link.source} to {link.target}"
                report.wrong((*AT, index), what, f"it is first on line {first.line}; keep one of them")
                break  # one problem per item: the other pairs are likely duplicates too
    return tuple(sorted(Link(source, target, origin) for (source, target), origin in found.items()))


def written_names(data: object) -> Iterator[str]:
    """Yield the names of all clusters in the file, including clusters with problems."""
    match data:
        case {"spec": {"clusters": list(items)}}:
            for item in items:
                match item:
                    case {"name": str(name)}:
                        yield name


def _pairs(part: LinkPart, trail: Trail, known: Collection[str], report: Problems) -> Iterator[Link]:
    origin = report.origin(trail)
    if part.between is not None and part.from_ is None and part.to is None:
        members = _members(part.between, (*trail, "between"), known, report)
        yield from (Link(one, two, origin) for one in members for two in members if one != two)
        return
    if part.between is not None or part.from_ is None or part.to is None:
        hint = "write between: [cluster1, cluster2], or from: cluster1 and to: cluster2"
        report.wrong(trail, "must set either between, or from and to", hint)
        return
    sources = _members(part.from_, (*trail, "from"), known, report)
    targets = _members(part.to, (*trail, "to"), known, report)
    for source in sources:
        for target in targets:
            if source == target:
                hint = "remove it: a cluster always reaches its own services"
                report.wrong((*trail, "to"), f"cluster {source} cannot be linked to itself", hint)
            else:
                yield Link(source, target, origin)


def _members(names: str | list[str], trail: Trail, known: Collection[str], report: Problems) -> list[str]:
    """Return the known names without duplicates; report unknown and repeated ones."""
    members: list[str] = []
    for index, name in enumerate([names] if isinstance(names, str) else names):
        at = trail if isinstance(names, str) else (*trail, index)
        if name not in known:
            hint = did_you_mean(name, known) or f"the clusters are {', '.join(sorted(known)[:8])}"
            report.wrong(at, f"there is no cluster {shown(name)}", hint)
        elif name in members:
            report.wrong(at, f"cluster {name} is listed twice", "list it once")
        else:
            members.append(name)
    return members
