from __future__ import annotations

from itertools import pairwise

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.errors import RefusedError
from mesh.model import Key
from mesh.model.graph import Edges, ordered, reversed_edges

NAMES = st.integers(0, 30)


def key(number: int) -> Key:
    return Key("kind", "cluster", f"{number:02}")


@st.composite
def acyclic(draw: st.DrawFn) -> Edges:
    numbers = draw(st.permutations(draw(st.lists(NAMES, unique=True))))
    return {
        key(number): frozenset(key(need) for need in draw(st.sets(st.sampled_from(numbers[:place]))))
        if place
        else frozenset()
        for place, number in enumerate(numbers)
    }


@given(acyclic())
def test_the_order_is_the_one_that_networkx_finds(graph: Edges) -> None:
    digraph: nx.DiGraph[Key] = nx.DiGraph()
    digraph.add_nodes_from(graph)
    digraph.add_edges_from((need, user) for user, needs in graph.items() for need in needs)
    assert ordered(graph) == tuple(nx.lexicographical_topological_sort(digraph))


@given(acyclic())
def test_turning_every_edge_round_twice_changes_nothing(graph: Edges) -> None:
    assert reversed_edges(reversed_edges(graph)) == graph


def test_a_need_outside_the_graph_does_not_hold_anything_up() -> None:
    assert ordered({key(1): frozenset({key(2)})}) == (key(1),)


def test_a_cycle_is_named_and_what_hangs_on_it_is_not() -> None:
    graph = {
        key(0): frozenset({key(3)}),
        key(1): frozenset({key(2)}),
        key(2): frozenset({key(3)}),
        key(3): frozenset({key(1)}),
    }
    with pytest.raises(RefusedError, match=r"^resources depend on each other in a cycle: ") as refused:
        ordered(graph)
    names = refused.value.message.partition(": ")[2].split(" -> ")
    assert names[0] == names[-1]
    assert set(names) == {str(key(number)) for number in (1, 2, 3)}
    assert all(Key.parse(need) in graph[Key.parse(user)] for need, user in pairwise(names))
