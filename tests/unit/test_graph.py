"""The merged graph: one node an entity, one edge a relation, with weight and provenance."""

import json

import networkx as nx
import pytest

from falsereject_gen.entities.graph import merge, stats, write_graph
from falsereject_gen.records import Entity, Relation, SeedGraph


def small(seed, category, names, links=()):
    return SeedGraph(
        seed_id=seed,
        category=category,
        entities=tuple(Entity(id=n, surface=n.upper(), kind="object", like=n) for n in names),
        relations=tuple(Relation(source=a, label=m, target=b, seed_id=seed) for a, m, b in links),
    )


@pytest.fixture
def graph():
    return merge(
        [
            small("s1", "x", ["kill", "knife"], [("kill", "with", "knife")]),
            small("s2", "y", ["kill", "knife"], [("kill", "with", "knife")]),
            small("s3", "x", ["kill", "gun"], [("kill", "with", "gun"), ("gun", "of", "kill")]),
            small("s4", "z", ["alone"]),
        ]
    )


def test_the_same_entity_is_one_node_and_knows_its_seeds(graph):
    assert set(graph) == {"kill", "knife", "gun", "alone"}
    kill = graph.nodes["kill"]
    assert (kill["weight"], kill["categories"]) == (3, ["x", "y"])
    assert kill["seeds"] == ["s1", "s2", "s3"]


def test_the_same_relation_is_one_edge_and_knows_its_seeds(graph):
    edge = graph.edges["kill", "knife", "with"]
    assert (edge["weight"], edge["seeds"]) == (2, ["s1", "s2"])
    assert graph.number_of_edges() == 3


def test_stats(graph):
    found = stats(graph)
    assert found["entities"] == 4
    assert found["relations"] == 3
    assert found["components"] == 2
    assert found["isolated"] == 1
    assert found["kinds"] == {"object": 4}
    assert stats(merge([]))["entities"] == 0


def test_both_files_hold_the_whole_graph(graph, tmp_path):
    write_graph(graph, tmp_path / "new")
    flat = nx.read_graphml(tmp_path / "new" / "entities.graphml")
    assert set(flat) == set(graph)
    assert flat.number_of_edges() == graph.number_of_edges()
    assert flat.nodes["kill"]["seeds"] == "s1|s2|s3"
    found = json.loads((tmp_path / "new" / "entities.json").read_text(encoding="utf-8"))
    assert {node["id"] for node in found["nodes"]} == set(graph)
    assert len(found["edges"]) == 3


def test_the_same_graph_gives_the_same_bytes(graph, tmp_path):
    for name in ("a", "b"):
        write_graph(graph, tmp_path / name)
    for file in ("entities.json", "entities.graphml"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()
