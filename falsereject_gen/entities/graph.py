"""The merged entity graph: every seed's small graph in one networkx multigraph, with provenance.

Nodes are canonical entity ids with `kind`, `surface`, `like`, `weight` (seeds that name it),
`categories`, `seeds` and `variants` (names that were merged into it, and how); edges are labelled
relations with `weight` and `seeds`. What is measured on it is measures.py.
"""

import io
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import networkx as nx

from falsereject_gen.entities.variants import Variant
from falsereject_gen.files import replace_file
from falsereject_gen.records import Entity, SeedGraph

__all__ = ["merge", "of_seeds", "stats", "write_graph"]

_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def merge(
    graphs: Iterable[SeedGraph], variants: Mapping[str, Variant] | None = None
) -> "nx.MultiDiGraph":
    """One graph of all seeds' graphs; the same entity is one node, the same relation one edge.

    Args:
        graphs: the small graphs.
        variants: names that stand for others (`find_variants`); None: every name is its own.

    Returns:
        The graph; its attribute `loops` counts relations that are left out because both their
        ends are one entity.
    """
    graphs, variants = tuple(graphs), variants or {}
    out = nx.MultiDiGraph(loops=0)
    for entity in _heads(graphs, variants):
        out.add_node(
            entity.id,
            kind=entity.kind,
            surface=entity.surface,
            like=entity.like,
            weight=0,
            categories={},
            seeds={},
            variants=[],
        )
    for small in graphs:
        for name in {_canonical(entity.id, variants): None for entity in small.entities}:
            node = out.nodes[name]
            node["weight"] += 1
            node["seeds"][small.seed_id] = node["categories"][small.category] = None
        _relate(out, small, variants)
    for name in sorted(variants):
        if variants[name].of in out:
            out.nodes[variants[name].of]["variants"].append(variants[name].label)
    _settle(out)
    return out


def of_seeds(graph: "nx.MultiDiGraph", seeds: Mapping[str, str]) -> "nx.MultiDiGraph":
    """The part of a merged graph that some seeds name, weighed by these alone.

    Args:
        graph: as `merge` makes it.
        seeds: category by seed id.
    """
    out = nx.MultiDiGraph(**graph.graph)
    for name, data in graph.nodes(data=True):
        if named := [seed for seed in data["seeds"] if seed in seeds]:
            homes = list(dict.fromkeys(seeds[seed] for seed in named))
            own = {"weight": len(named), "seeds": named, "categories": homes}
            out.add_node(name, **{**data, **own})
    for source, target, key, data in graph.edges(keys=True, data=True):
        if named := [seed for seed in data["seeds"] if seed in seeds]:
            own = {"weight": len(named), "seeds": named}
            out.add_edge(source, target, key=key, **{**data, **own})
    return out


def _canonical(name: str, variants: Mapping[str, Variant]) -> str:
    return variants[name].of if name in variants else name


def _heads(graphs: Iterable[SeedGraph], variants: Mapping[str, Variant]) -> Iterable[Entity]:
    """For each canonical name the entity that describes it, in the order of the seeds.

    That is the first one of this very name; a variant lends nothing but its place.
    """
    own: dict[str, Entity] = {}
    order: dict[str, None] = {}
    for small in graphs:
        for entity in small.entities:
            own.setdefault(entity.id, entity)
            order[_canonical(entity.id, variants)] = None
    return [own[name] for name in order]


def _relate(out: "nx.MultiDiGraph", small: SeedGraph, variants: Mapping[str, Variant]) -> None:
    for relation in small.relations:
        source = _canonical(relation.source, variants)
        target = _canonical(relation.target, variants)
        if source == target:
            out.graph["loops"] += 1
            continue
        key = relation.label
        if not out.has_edge(source, target, key):
            out.add_edge(source, target, key=key, label=key, weight=0, seeds=[])
        edge = out.edges[source, target, key]
        edge["weight"] += 1
        if relation.seed_id not in edge["seeds"]:  # few seeds an edge: lists are half the memory
            edge["seeds"].append(relation.seed_id)


def _settle(out: "nx.MultiDiGraph") -> None:
    """Turn the ordered sets that the entities were built with into lists."""
    for _, data in out.nodes(data=True):
        data["categories"], data["seeds"] = list(data["categories"]), list(data["seeds"])


def stats(graph: "nx.MultiDiGraph") -> dict[str, Any]:
    """Counts that say what kind of graph it is."""
    kinds: dict[str, int] = {}
    for _, kind in graph.nodes(data="kind", default="unknown"):
        kinds[kind] = kinds.get(kind, 0) + 1
    return {
        "entities": graph.number_of_nodes(),
        "relations": graph.number_of_edges(),
        "kinds": dict(sorted(kinds.items())),
        "components": nx.number_weakly_connected_components(graph) if graph else 0,
        "isolated": nx.number_of_isolates(graph),
        "without_reading": sum(1 for _, like in graph.nodes(data="like") if not like),
        "variants": sum(len(found or ()) for _, found in graph.nodes(data="variants")),
        "loops_left_out": graph.graph.get("loops", 0),
    }


def write_graph(graph: "nx.MultiDiGraph", folder: Path) -> None:
    """Write `entities.graphml` (lists joined by |) and `entities.json` (node-link JSON).

    Raises:
        StoreError: a file cannot be written; the old ones stand.
    """
    flat = nx.MultiDiGraph(**graph.graph)
    for name, data in graph.nodes(data=True):
        flat.add_node(_plain(name), **_joined(data))
    for source, target, key, data in graph.edges(keys=True, data=True):
        flat.add_edge(_plain(source), _plain(target), key=_plain(key), **_joined(data))
    as_xml = io.BytesIO()
    nx.write_graphml(flat, as_xml)
    replace_file(folder / "entities.graphml", [as_xml.getvalue()])
    text = json.dumps(nx.node_link_data(graph, edges="edges"), indent=1, ensure_ascii=False)
    replace_file(folder / "entities.json", [text.encode("utf-8", "replace"), b"\n"])


def _joined(data: Mapping[str, Any]) -> dict[str, Any]:
    return {k: _plain("|".join(v) if isinstance(v, list) else v) for k, v in data.items()}


def _plain(value: Any) -> Any:
    """A value without the characters that XML cannot hold."""
    if not isinstance(value, str) or value.isprintable():
        return value
    return _NOT_XML.sub("\ufffd", value)
