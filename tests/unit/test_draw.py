"""Positions in the picture of the entity graph: apart, the same each time."""

import networkx as nx
import numpy as np
import pytest

from falsereject_gen.entities.draw import positions, read_graph
from falsereject_gen.entities.graph import write_graph


def large(count, categories):
    graph = nx.MultiDiGraph()
    for i in range(count):
        graph.add_node(f"n{i}", kind="act", categories=[f"c{i % categories}"], seeds=[], weight=1)
    for i in range(count):
        graph.add_edge(f"n{i}", f"n{(i * 7 + 3) % count}", key="x", label="x", weight=1, seeds=[])
    return graph


@pytest.mark.parametrize("categories", [1, 44])
def test_5000_entities_lie_apart(categories):
    graph = large(5000, categories)
    found = positions(graph, 0)
    points = np.array([found[name] for name in graph])
    assert np.isfinite(points).all()
    some_points = points[:400]
    gaps = np.hypot(*(some_points[:, None] - points[None]).transpose(2, 0, 1))
    gaps[np.arange(400), np.arange(400)] = np.inf
    assert np.median(gaps.min(axis=1)) > 0.3, "neighbours do not lie upon each other"


def test_positions_depend_on_graph_and_seed_only():
    graph = large(900, 2)
    assert positions(graph, 3) == positions(graph, 3)
    assert positions(graph, 3) != positions(graph, 4)
    assert positions(nx.MultiDiGraph(), 0) == {}


def test_clusters_keep_to_themselves():
    graph = large(400, 4)
    found = positions(graph, 0)
    points = np.array([found[name] for name in graph])
    part = np.arange(400) % 4
    centres = np.array([points[part == i].mean(axis=0) for i in range(4)])
    nearest = np.hypot(*(points[:, None] - centres[None]).transpose(2, 0, 1)).argmin(axis=1)
    assert (nearest == part).mean() > 0.97


def test_a_graph_comes_back_as_it_was_written(tmp_path):
    graph = large(20, 3)
    write_graph(graph, tmp_path)
    back = read_graph(tmp_path / "entities.json")
    assert nx.utils.graphs_equal(graph, back)
