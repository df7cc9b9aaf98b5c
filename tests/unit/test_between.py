"""Betweenness is networkx's, whatever the graph and however it is searched."""

import networkx as nx
import pytest

from falsereject_gen.entities import between
from falsereject_gen.entities.between import betweenness

GRAPHS = {
    "random": nx.gnm_random_graph(90, 160, seed=1),
    "hubs": nx.barabasi_albert_graph(120, 2, seed=2),
    "pieces": nx.disjoint_union(nx.path_graph(9), nx.star_graph(7)),
    "no links": nx.empty_graph(5),
    "one": nx.empty_graph(1),
    "two": nx.path_graph(2),
    "chain": nx.path_graph(200),
}


@pytest.mark.parametrize("name", GRAPHS)
@pytest.mark.parametrize("pivots", [3, 40, 1000])
def test_as_networkx_counts_it(name, pivots):
    graph = nx.relabel_nodes(GRAPHS[name], str)
    wanted = nx.betweenness_centrality(graph, k=min(pivots, len(graph)), seed=7)
    assert betweenness(graph, pivots, 7) == pytest.approx(wanted, abs=1e-12)


def test_what_is_searched_together_changes_nothing(monkeypatch):
    graph = GRAPHS["hubs"]
    first = betweenness(graph, 40, 0)
    monkeypatch.setattr(between, "TOGETHER", 7)
    assert betweenness(graph, 40, 0) == pytest.approx(first, abs=1e-12)


def test_one_source_gives_numbers():
    found = betweenness(GRAPHS["hubs"], 1, 0)
    assert all(0 <= value <= 1 for value in found.values())
    assert any(found.values())
