"""Graphs from disk: what was written comes back, and what is no graph is told in one line."""

import json

import networkx as nx
import pytest

from falsereject_gen.entities.graph import merge, write_graph
from falsereject_gen.entities.load import load_graph
from falsereject_gen.errors import InputError, StoreError
from falsereject_gen.records import Entity, Relation, SeedGraph


@pytest.fixture
def graph():
    names = ("kill", "knife\x0b", "Müll|eimer")
    return merge(
        [
            SeedGraph(
                seed_id="s1",
                category="c",
                entities=tuple(Entity(id=n, surface=n, kind="object") for n in names),
                relations=(Relation(source="kill", label="with", target=names[1], seed_id="s1"),),
            )
        ]
    )


def test_what_was_written_comes_back(graph, tmp_path):
    write_graph(graph, tmp_path / "graph")
    from_run = load_graph(tmp_path)
    assert dict(from_run.nodes(data=True)) == dict(graph.nodes(data=True))
    assert list(from_run.edges(data=True, keys=True)) == list(graph.edges(data=True, keys=True))
    xml = load_graph(tmp_path / "graph" / "entities.graphml")
    assert xml.nodes["kill"]["seeds"] == ["s1"]
    assert xml.nodes["kill"]["variants"] == []
    assert xml.number_of_edges() == 1


def test_graphml_of_another_tool_is_taken(tmp_path):
    nx.write_graphml(nx.path_graph(4), tmp_path / "p.graphml")
    found = load_graph(tmp_path / "p.graphml")
    assert (found.number_of_nodes(), found.number_of_edges()) == (4, 3)
    assert found.nodes["0"]["weight"] == 1


def test_a_graph_of_many_relations_can_be_read(tmp_path):
    lines = "".join(f'<edge source="n{k % 999}" target="n{(k * 7) % 999}"/>' for k in range(20_000))
    nodes = "".join(f'<node id="n{k}"/>' for k in range(999))
    text = '<graphml xmlns="http://graphml.graphdrawing.org/xmlns"><graph edgedefault="directed">'
    (tmp_path / "big.graphml").write_text(f"{text}{nodes}{lines}</graph></graphml>", "utf-8")
    assert load_graph(tmp_path / "big.graphml").number_of_edges() == 20_000


def test_a_write_that_fails_leaves_the_old_file(graph, tmp_path):
    (tmp_path / "graph").write_text("a file in the way", "utf-8")
    with pytest.raises(StoreError, match="not written"):
        write_graph(graph, tmp_path / "graph")


def node_link(nodes, edges):
    return json.dumps(
        {"directed": True, "multigraph": True, "graph": {}, "nodes": nodes, "edges": edges}
    )


XML = (
    '<graphml xmlns="http://graphml.graphdrawing.org/xmlns"><graph edgedefault="directed">'
    "{}</graph></graphml>"
)
BAD = {
    "missing.json": (None, "no such file"),
    "empty.json": ("", "cannot be read as JSON"),
    "broken.json": ('{"nodes": [', "cannot be read as JSON"),
    "deep.json": ("[" * 200_000, "cannot be read as JSON"),
    "list.json": ("[1, 2]", "no node-link graph"),
    "bare.json": ('{"nodes": [{"name": "x"}], "edges": []}', "no node-link graph"),
    "none.json": (node_link([], []), "has no entity"),
    "twice.json": (node_link([{"id": "x"}, {"id": "x"}], []), "`x` stands twice"),
    "lost.json": (node_link([{"id": "x"}], [{"source": "x", "target": "y", "key": 0}]), "edge 1"),
    "heavy.json": (node_link([{"id": "x", "weight": "much"}], []), "`weight` is no number"),
    "empty.graphml": ("", "cannot be read as GraphML"),
    "broken.graphml": ("<graphml><graph>", "cannot be read as GraphML"),
    "html.graphml": ("<html></html>", "GraphML"),
    "twice.graphml": (XML.format('<node id="x"/><node id="x"/>'), "`x` stands twice"),
    "lost.graphml": (XML.format('<node id="x"/><edge source="x" target="y"/>'), "edge 1"),
    "other.txt": ("x", "a graph is a .json"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_graph_is_told_in_one_line(name, tmp_path):
    text, said = BAD[name]
    if text is not None:
        (tmp_path / name).write_text(text, "utf-8")
    with pytest.raises(InputError) as caught:
        load_graph(tmp_path / name)
    assert said in str(caught.value)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_folder_without_a_graph_is_told(tmp_path):
    with pytest.raises(InputError, match=r"entities\.json is missing"):
        load_graph(tmp_path)
