"""The merged entity graph: every seed's small graph in one networkx multigraph, with provenance.

Nodes are entity ids with `kind`, `surface`, `weight` (seeds that name it), `categories` and
`seeds`; edges are labelled relations with `weight` and `seeds`.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import networkx as nx

from falsereject_gen.records import SeedGraph

__all__ = ["merge", "stats", "write_graph"]


def merge(graphs: Iterable[SeedGraph]) -> "nx.MultiDiGraph":
    """One graph of all seeds' graphs; the same entity is one node, the same relation one edge."""
    out = nx.MultiDiGraph()
    for small in graphs:
        for entity in small.entities:
            if entity.id not in out:
                out.add_node(
                    entity.id,
                    kind=entity.kind,
                    surface=entity.surface,
                    like=entity.like,
                    weight=0,
                    categories=[],
                    seeds=[],
                )
            node = out.nodes[entity.id]
            node["weight"] += 1
            _note(node["seeds"], small.seed_id)
            _note(node["categories"], small.category)
        for relation in small.relations:
            key = relation.label
            if not out.has_edge(relation.source, relation.target, key):
                out.add_edge(
                    relation.source, relation.target, key=key, label=key, weight=0, seeds=[]
                )
            edge = out.edges[relation.source, relation.target, key]
            edge["weight"] += 1
            _note(edge["seeds"], relation.seed_id)
    return out


def stats(graph: "nx.MultiDiGraph") -> dict[str, Any]:
    """Counts that say what kind of graph it is."""
    kinds: dict[str, int] = {}
    for _, kind in graph.nodes(data="kind"):
        kinds[kind] = kinds.get(kind, 0) + 1
    return {
        "entities": graph.number_of_nodes(),
        "relations": graph.number_of_edges(),
        "kinds": dict(sorted(kinds.items())),
        "components": nx.number_weakly_connected_components(graph) if graph else 0,
        "isolated": nx.number_of_isolates(graph),
        "without_reading": sum(1 for _, like in graph.nodes(data="like") if not like),
    }


def write_graph(graph: "nx.MultiDiGraph", folder: Path) -> None:
    """Write `entities.graphml` (lists joined by |) and `entities.json` (node-link JSON)."""
    folder.mkdir(parents=True, exist_ok=True)
    flat = nx.MultiDiGraph()
    for name, data in graph.nodes(data=True):
        flat.add_node(name, **_joined(data))
    for source, target, key, data in graph.edges(keys=True, data=True):
        flat.add_edge(source, target, key=key, **_joined(data))
    nx.write_graphml(flat, folder / "entities.graphml")
    text = json.dumps(nx.node_link_data(graph, edges="edges"), indent=1, ensure_ascii=False)
    (folder / "entities.json").write_text(text + "\n", encoding="utf-8")


def _note(found: list[str], value: str) -> None:
    if value not in found:
        found.append(value)


def _joined(data: dict[str, Any]) -> dict[str, Any]:
    return {k: "|".join(v) if isinstance(v, list) else v for k, v in data.items()}
