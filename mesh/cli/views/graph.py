"""The graph of resources as a table, and as source for Graphviz and Mermaid."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any

from mesh.cli.views.escape import terminal
from mesh.cli.views.tables import table
from mesh.model import NO_CLUSTER, Key, Resource
from mesh.model.graph import Edges


def resources_text(order: Iterable[Key], resources: Mapping[Key, Resource[Any]], graph: Edges) -> str:
    """Return a table of resources in the order of creation: address, direct dependencies, origin."""
    rows = ((key, ", ".join(map(str, sorted(graph[key]))), _origin(resources[key])) for key in order)
    return table(("address", "needs", "origin"), rows)


def _origin(resource: Resource[Any]) -> str:
    return str(resource.origin) if resource.origin.file else ""


def dot(graph: Edges) -> str:
    """Return the graph for Graphviz: an arrow leads from a dependency to its dependent."""
    return "".join(_dot(graph))


def _dot(graph: Edges) -> Iterator[str]:
    yield "digraph mesh {\n  rankdir=LR;\n  node [shape=box];\n"
    for number, (cluster, keys) in enumerate(_clusters(graph)):
        yield f"  subgraph cluster_{number} {{\n    label={_dot_text(_title(cluster))};\n"
        yield from (f"    {_dot_text(str(key))};\n" for key in keys)
        yield "  }\n"
    for key, needs in sorted(graph.items()):
        yield from (f"  {_dot_text(str(need))} -> {_dot_text(str(key))};\n" for need in sorted(needs))
    yield "}\n"


def _dot_text(text: str) -> str:
    escaped = terminal(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def mermaid(graph: Edges) -> str:
    """Return the graph for Mermaid: an arrow leads from a dependency to its dependent."""
    return "".join(_mermaid(graph))


def _mermaid(graph: Edges) -> Iterator[str]:
    names = {key: f"n{number}" for number, key in enumerate(sorted(graph))}
    yield "flowchart LR\n"
    for number, (cluster, keys) in enumerate(_clusters(graph)):
        yield f'  subgraph c{number}["{_mermaid_text(_title(cluster))}"]\n'
        yield from (f'    {names[key]}["{_mermaid_text(str(key))}"]\n' for key in keys)
        yield "  end\n"
    for key, needs in sorted(graph.items()):
        yield from (f"  {names[need]} --> {names[key]}\n" for need in sorted(needs))


def _mermaid_text(text: str) -> str:
    """Escape a label: Mermaid renders HTML, so all but plain characters become its character codes."""
    return re.sub(r"[^\w ./-]", lambda found: f"#{ord(found[0])};", terminal(text))


def _clusters(graph: Edges) -> Iterator[tuple[str, list[Key]]]:
    ordered = sorted(graph, key=lambda key: (key.cluster, key))
    for cluster, keys in groupby(ordered, lambda key: key.cluster):
        yield cluster, list(keys)


def _title(cluster: str) -> str:
    return "no cluster" if cluster == NO_CLUSTER else cluster
