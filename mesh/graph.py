"""Edges between resources and the order they give; the only importer of networkx."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from mesh.errors import RefusedError
from mesh.model import Key, Resource
from mesh.refs import refs_in

Edges = Mapping[Key, frozenset[Key]]
"""Each key with its direct needs; only keys of the graph itself appear as needs."""


def edges(resources: Iterable[Resource[object]]) -> Edges:
    """Join each resource's `needs` with the resources its refs name."""
    wanted = {resource.key: resource for resource in resources}
    joined = {
        key: resource.needs | {ref.key for ref in refs_in(resource.spec)} for key, resource in wanted.items()
    }
    return {key: frozenset(needs & wanted.keys()) for key, needs in joined.items()}


def ordered(graph: Edges) -> tuple[Key, ...]:
    """Return every key after all that it needs; ties by address, so the same graph gives the same order.

    Raises RefusedError that names the cycle if there is one.
    """
    import networkx as nx

    digraph: nx.DiGraph[Key] = nx.DiGraph()
    digraph.add_nodes_from(graph)
    digraph.add_edges_from((need, key) for key, needs in graph.items() for need in needs)
    try:
        return tuple(nx.lexicographical_topological_sort(digraph))
    except nx.NetworkXUnfeasible:
        cycle = [str(edge[0]) for edge in nx.find_cycle(digraph)]
        path = " -> ".join([*cycle, cycle[0]])
        raise RefusedError(
            f"resources need each other in a circle: {path}", hint="remove one of these dependencies"
        ) from None


def reversed_edges(graph: Edges) -> Edges:
    """Turn every edge round: what must be gone before each key may go."""
    turned: dict[Key, set[Key]] = {key: set() for key in graph}
    for key, needs in graph.items():
        for need in needs & graph.keys():
            turned[need].add(key)
    return {key: frozenset(users) for key, users in turned.items()}
