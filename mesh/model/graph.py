"""Edges between resources and their order; the only importer of networkx, which finds cycles."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from heapq import heappop, heappush

from mesh.errors import RefusedError
from mesh.model import Key, Resource
from mesh.model.refs import refs_in

Edges = Mapping[Key, frozenset[Key]]
"""Each key with its direct dependencies; all of them are keys of the graph."""


def edges(resources: Iterable[Resource[object]]) -> Edges:
    """Return the graph of resources: `needs` and the targets of refs."""
    wanted = {resource.key: resource for resource in resources}
    joined = {
        key: resource.needs | {ref.key for ref in refs_in(resource.spec)} for key, resource in wanted.items()
    }
    return {key: frozenset(needs & wanted.keys()) for key, needs in joined.items()}


def ordered(graph: Edges) -> tuple[Key, ...]:
    """Return every key after its dependencies; ties are ordered by address, so the order is stable.

    Raise RefusedError with the cycle if there is one.
    """
    waits = {key: len(needs & graph.keys()) for key, needs in graph.items()}
    users = reversed_edges(graph)
    ready = sorted(key for key, count in waits.items() if not count)
    order: list[Key] = []
    while ready:
        order.append(key := heappop(ready))
        for user in users[key]:
            waits[user] -= 1
            if not waits[user]:
                heappush(ready, user)
    if len(order) < len(graph):
        raise _circle(graph)
    return tuple(order)


def _circle(graph: Edges) -> RefusedError:
    """Return the error for a cycle; imports networkx only here, as that takes longer than a whole plan."""
    import networkx as nx

    digraph: nx.DiGraph[Key] = nx.DiGraph()
    digraph.add_edges_from((need, key) for key, needs in sorted(graph.items()) for need in sorted(needs))
    cycle = [str(edge[0]) for edge in nx.find_cycle(digraph)]
    path = " -> ".join([*cycle, cycle[0]])
    return RefusedError(
        f"resources depend on each other in a cycle: {path}", hint="remove one of these dependencies"
    )


def with_users(keys: Iterable[Key], graph: Edges) -> set[Key]:
    """Return the keys and all keys that depend on one of them, directly or not."""
    found = set(keys)
    while more := {key for key, needs in graph.items() if key not in found and needs & found}:
        found |= more
    return found


def reversed_edges(graph: Edges) -> Edges:
    """Return the graph with reversed edges: for each key, the keys to delete before it."""
    turned: dict[Key, set[Key]] = {key: set() for key in graph}
    for key, needs in graph.items():
        for need in needs & graph.keys():
            turned[need].add(key)
    return {key: frozenset(users) for key, users in turned.items()}
