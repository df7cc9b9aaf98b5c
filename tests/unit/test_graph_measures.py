"""Communities and centralities on graphs whose answer can be seen."""

import json

import pytest
from typer.testing import CliRunner

from falsereject_gen.cli.main import app
from falsereject_gen.entities.graph import merge, write_graph
from falsereject_gen.entities.measures import annotate, describe, sketch
from falsereject_gen.records import Entity, Relation, SeedGraph

LEFT, RIGHT = ("a1", "a2", "a3"), ("b1", "b2", "b3")


def clique(seed, names, category):
    pairs = [(a, b) for a in names for b in names if a < b]
    return SeedGraph(
        seed_id=seed,
        category=category,
        entities=tuple(Entity(id=n, surface=n, kind="object") for n in names),
        relations=tuple(Relation(source=a, label="of", target=b, seed_id=seed) for a, b in pairs),
    )


@pytest.fixture
def graph():
    """Two triangles, joined by one relation between a3 and b1."""
    link = SeedGraph(
        seed_id="s3",
        category="left",
        entities=(),
        relations=(Relation(source="a3", label="to", target="b1", seed_id="s3"),),
    )
    return merge([clique("s1", LEFT, "left"), clique("s2", RIGHT, "right"), link])


def test_two_triangles_are_two_communities_and_the_bridge_is_between(graph):
    annotate(graph, pivots=100)
    assert {graph.nodes[n]["community"] for n in LEFT} != {
        graph.nodes[n]["community"] for n in RIGHT
    }
    between = dict(graph.nodes(data="betweenness"))
    assert between["a3"] == between["b1"] == 0.6
    assert between["a1"] == 0
    assert graph.nodes["a3"]["degree"] == 3
    assert sum(rank for _, rank in graph.nodes(data="pagerank")) == pytest.approx(1, abs=1e-5)


def test_opposite_relations_are_one_link_and_weights_add_up(graph):
    graph.add_edge("b1", "a3", key="back", label="back", weight=4, seeds=[])
    assert sketch(graph).edges["a3", "b1"]["weight"] == 5
    assert sketch(graph).number_of_edges() == 7


def test_the_same_graph_is_measured_the_same(graph):
    annotate(graph, pivots=2)
    first = dict(graph.nodes(data=True))
    again = {name: dict(data) for name, data in first.items()}
    annotate(graph, pivots=2)
    assert dict(graph.nodes(data=True)) == again
    assert graph.graph["pivots"] == 2


def test_describe_names_what_is_central(graph):
    annotate(graph, pivots=100)
    found = describe(graph, top=2)
    assert found["community_count"] == 2
    assert [one["size"] for one in found["communities"]] == [3, 3]
    assert {one["category"] for one in found["communities"]} == {"left", "right"}
    assert list(found["top"]["betweenness"]) == ["a3", "b1"]
    assert (found["largest_component"], found["seeds"]) == (6, 2)
    assert found["by_category"] == {"left": 3, "right": 3}


def test_a_graph_without_links_can_be_measured():
    bare = merge(
        [SeedGraph(seed_id="s", category="c", entities=(Entity(id="x", surface="x", kind="act"),))]
    )
    annotate(bare, pivots=3)
    assert describe(bare)["modularity"] == 0
    annotate(merge([]), pivots=3)
    assert describe(merge([]))["entities"] == 0


def test_the_command_tells_the_same_of_either_file(graph, tmp_path):
    write_graph(graph, tmp_path)
    runner = CliRunner()
    folder, xml = (
        json.loads(runner.invoke(app, ["graph", "stats", str(place), "--json"]).stdout)
        for place in (tmp_path, tmp_path / "entities.graphml")
    )
    assert folder == xml
    assert (folder["entities"], folder["relations"], folder["betweenness_pivots"]) == (6, 7, 6)
    said = runner.invoke(app, ["graph", "stats", str(tmp_path)]).stdout
    assert "6 entities, 7 relations, from 2 seeds" in said
    assert "2 communities" in said
