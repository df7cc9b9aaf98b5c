"""What is measured on the merged graph: communities, centralities, and what a graph is like.

All on the undirected sketch of it: two entities are linked as strongly as their relations weigh
together. Communities are Louvain's (Blondel et al. 2008), PageRank is that of Page et al. 1999,
betweenness is estimated from `pivots` random sources (Brandes and Pich 2007), not exact.
"""

from collections import Counter
from typing import Any

import networkx as nx

from falsereject_gen.entities.between import betweenness
from falsereject_gen.entities.graph import stats

__all__ = ["annotate", "describe", "sketch"]

DIGITS = 8
"""Digits that are kept: the last ones depend on the machine's arithmetic."""


def sketch(graph: "nx.MultiDiGraph") -> "nx.Graph":
    """The graph without directions and labels; `weight` sums the relations of two entities."""
    out = nx.Graph()
    out.add_nodes_from(graph)
    for source, target, weight in graph.edges(data="weight", default=1):
        if source == target:
            continue
        old = out.edges[source, target]["weight"] if out.has_edge(source, target) else 0
        out.add_edge(source, target, weight=old + weight)
    return out


def annotate(graph: "nx.MultiDiGraph", *, pivots: int, rng: int = 0) -> None:
    """Set `community` (0 is the largest), `degree`, `pagerank` and `betweenness` of every node.

    Args:
        graph: as `merge` makes it; changed in place.
        pivots: sources that betweenness is estimated from; all nodes when there are no more.
        rng: decides communities and pivots.
    """
    if not graph:
        return
    plain = sketch(graph)
    found = nx.community.louvain_communities(plain, weight="weight", seed=rng)
    order = {name: place for place, name in enumerate(plain)}
    found = sorted(found, key=lambda one: (-len(one), min(order[name] for name in one)))
    home = {name: number for number, members in enumerate(found) for name in members}
    rank = nx.pagerank(plain, weight="weight")
    between = betweenness(plain, pivots, rng)
    for name, data in graph.nodes(data=True):
        data["community"] = home[name]
        data["degree"] = plain.degree(name)
        data["pagerank"] = round(float(rank[name]), DIGITS)
        data["betweenness"] = round(float(between[name]), DIGITS)
    split = [{name for name in members} for members in found]
    graph.graph["modularity"] = round(_modularity(plain, split), 4)
    graph.graph["pivots"] = min(pivots, len(plain))


def _modularity(plain: "nx.Graph", split: list[set[str]]) -> float:
    """0 for a graph without links, whose modularity is undefined."""
    if not plain.number_of_edges():
        return 0.0
    return float(nx.community.modularity(plain, split, weight="weight"))


def describe(graph: "nx.MultiDiGraph", top: int = 10) -> dict[str, Any]:
    """Everything that `graph stats` says of an annotated graph.

    Args:
        graph: after `annotate`.
        top: how many entities, communities and merged entities are named.
    """
    pieces = [len(piece) for piece in nx.weakly_connected_components(graph)]
    seeds = {seed for _, found in graph.nodes(data="seeds") for seed in found or ()}
    categories = Counter(c for _, found in graph.nodes(data="categories") for c in found or ())
    merged = [(name, found) for name, found in graph.nodes(data="variants") if found]
    return {
        **stats(graph),
        "seeds": len(seeds),
        "largest_component": max(pieces, default=0),
        "mean_degree": round(_mean(d for _, d in graph.nodes(data="degree")), 3),
        "modularity": graph.graph.get("modularity", 0.0),
        "communities": _communities(graph, top),
        "community_count": len({c for _, c in graph.nodes(data="community")}),
        "betweenness_pivots": graph.graph.get("pivots", 0),
        "top": {
            measure: _top(graph, measure, top)
            for measure in ("weight", "degree", "pagerank", "betweenness")
        },
        "merged_entities": len(merged),
        "merged": {name: list(found) for name, found in sorted(merged, key=_most)[:top]},
        "by_category": dict(sorted(categories.items())),
        "in_several_categories": sum(
            len(found or ()) > 1 for _, found in graph.nodes(data="categories")
        ),
    }


def _communities(graph: "nx.MultiDiGraph", top: int) -> list[dict[str, Any]]:
    """The largest communities: size, the category most of it is in, and its central entities."""
    members: dict[int, list[str]] = {}
    for name, number in graph.nodes(data="community"):
        members.setdefault(number, []).append(name)
    out = []
    for number, names in sorted(members.items())[:top]:
        held = Counter(c for name in names for c in graph.nodes[name].get("categories") or ())
        central = sorted(names, key=lambda name: (-graph.nodes[name]["pagerank"], name))[:5]
        category = held.most_common(1)[0][0] if held else ""
        out.append({"id": number, "size": len(names), "category": category, "central": central})
    return out


def _top(graph: "nx.MultiDiGraph", measure: str, top: int) -> dict[str, float]:
    ranked = sorted(graph.nodes(data=measure, default=0), key=lambda one: (-one[1], one[0]))
    return dict(ranked[:top])


def _most(one: tuple[str, list[str]]) -> tuple[int, str]:
    return -len(one[1]), one[0]


def _mean(values: Any) -> float:
    found = list(values)
    return sum(found) / len(found) if found else 0.0
