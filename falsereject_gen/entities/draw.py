"""Where each entity stands in the picture of the graph.

Every category is a disc, as large as its entities need. Discs are packed near those that they are
linked with; inside its disc an entity is moved by a few dozen force iterations (Fruchterman and
Reingold 1991, repulsion by sampling in large discs). No drawing in here: the report draws.
"""

import json
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from falsereject_gen.errors import InputError

__all__ = ["heaviest", "label", "main_category", "part", "positions", "read_graph"]

Points = NDArray[np.float64]

ITERATIONS = 40
SAMPLE = 300
"""Entities that one entity is pushed away by in an iteration; the push is scaled to all of them."""
ROOM = 0.75
"""Radius of a disc with one entity, where neighbours stand about 1 apart."""
GAP = 0.8
GOLDEN = np.pi * (3.0 - np.sqrt(5.0))


def read_graph(path: Path) -> "nx.MultiDiGraph":
    """The graph that `write_graph` wrote as node-link JSON.

    Raises:
        InputError: the file cannot be read or holds no node-link graph.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        graph = nx.node_link_graph(found, edges="edges")
    except (OSError, ValueError, KeyError, TypeError, AttributeError, nx.NetworkXError) as fault:
        raise InputError(f"no node-link graph can be read from it: {fault!r}", path=path) from None
    return nx.MultiDiGraph(graph)


def part(graph: "nx.MultiDiGraph", category: str) -> "nx.MultiDiGraph":
    """The entities that seeds of a category name, and the relations between them."""
    named = [n for n, found in graph.nodes(data="categories") if category in (found or ())]
    return _only(graph, set(named))


def heaviest(graph: "nx.MultiDiGraph", most: int) -> "nx.MultiDiGraph":
    """The entities that most seeds name; of equal ones those with more relations, then by name."""
    weight = {n: (-float(w or 0), -graph.degree(n), str(n)) for n, w in graph.nodes(data="weight")}
    return _only(graph, set(sorted(weight, key=lambda name: weight[name])[:most]))


def _only(graph: "nx.MultiDiGraph", names: set[Any]) -> "nx.MultiDiGraph":
    """The graph of some entities, in their order; networkx's `subgraph` has the order of a set."""
    out = nx.MultiDiGraph(**graph.graph)
    out.add_nodes_from((n, data) for n, data in graph.nodes(data=True) if n in names)
    edges = graph.edges(keys=True, data=True)
    out.add_edges_from((a, b, key, data) for a, b, key, data in edges if {a, b} <= names)
    return out


def label(name: str, data: dict[str, Any]) -> str:
    """How an entity is written under its dot: its canonical name, with the capitals of a name."""
    surface = str(data.get("surface") or "")
    is_name = data.get("kind") in ("person", "group", "place", "event", "object")
    proper = is_name and surface[:1].isupper()
    return surface if proper or (surface.isupper() and len(surface) > 1) else name


def main_category(data: dict[str, Any]) -> str:
    """The category whose disc an entity stands in: the first that named it, or none."""
    return str(next(iter(data.get("categories") or ()), ""))


def positions(graph: "nx.MultiDiGraph", rng: int) -> dict[str, tuple[float, float]]:
    """A place for each entity, the same for the same graph and `rng`.

    Args:
        graph: as `entities.graph.merge` makes it.
        rng: seed of the sampling in large discs.

    Returns:
        Entity id to (x, y); neighbours stand about 1 apart, the whole is centred on (0, 0).
    """
    names = [str(name) for name in graph]
    if not names:
        return {}
    members: dict[str, list[int]] = defaultdict(list)
    for number, (_, data) in enumerate(graph.nodes(data=True)):
        members[main_category(data)].append(number)
    place = {name: number for number, name in enumerate(names)}
    edges = np.array(
        [(place[str(a)], place[str(b)]) for a, b in graph.edges() if a != b], dtype=int
    )
    edges = edges.reshape(-1, 2)
    home = np.empty(len(names), dtype=int)
    for number, category in enumerate(sorted(members)):
        home[members[category]] = number
    centres, radii = _pack(home, edges, _shared(graph, sorted(members)))
    out = np.zeros((len(names), 2))
    outward = _outward(home, edges, centres)
    for number in range(len(radii)):
        inside = np.flatnonzero(home == number)
        draw = np.random.default_rng([rng, number])
        out[inside] = centres[number] + _disc(inside, edges, outward, radii[number], draw)
    out -= (out.min(axis=0) + out.max(axis=0)) / 2
    return {
        name: (round(float(x), 3), round(float(y), 3))
        for name, (x, y) in zip(names, out, strict=True)
    }


def _shared(graph: "nx.MultiDiGraph", categories: list[str]) -> Counter[tuple[int, int]]:
    """How many entities two categories have in common."""
    number = {category: i for i, category in enumerate(categories)}
    out: Counter[tuple[int, int]] = Counter()
    for _, data in graph.nodes(data=True):
        held = sorted({number[c] for c in data.get("categories") or () if c in number})[:6]
        out.update((a, b) for i, a in enumerate(held) for b in held[i + 1 :])
    return out


def _pack(
    home: NDArray[Any], edges: NDArray[Any], shared: Counter[tuple[int, int]]
) -> tuple[Points, NDArray[np.float64]]:
    """Centres and radii of the discs: large ones first, each as near to its kin as it can be."""
    sizes = np.bincount(home)
    radii = ROOM * np.sqrt(sizes)
    kin = np.zeros((len(sizes), len(sizes)))
    for (a, b), count in shared.items():
        kin[a, b] = kin[b, a] = count
    for a, b in home[edges]:
        kin[a, b] += a != b
        kin[b, a] += a != b
    spots = _spiral(6000, float(np.sqrt(4 * ((radii + GAP) ** 2).sum()) + 2 * radii.max()))
    free = np.full(len(spots), np.inf)
    centres = np.zeros((len(sizes), 2))
    placed: list[int] = []
    for number in np.argsort(-sizes, kind="stable"):
        cost = np.hypot(*spots.T)
        if placed and kin[number, placed].sum():
            weights = kin[number, placed] / kin[number, placed].sum()
            cost = 0.5 * cost + np.hypot(*(spots - weights @ centres[placed]).T)
        fits = free >= radii[number] + GAP
        best = int(np.argmin(np.where(fits, cost, np.inf))) if fits.any() else int(np.argmax(free))
        centres[number] = spots[best]
        free = np.minimum(free, np.hypot(*(spots - spots[best]).T) - radii[number])
        placed.append(int(number))
    return centres, radii


def _outward(home: NDArray[Any], edges: NDArray[Any], centres: Points) -> Points:
    """For each entity the mean direction to the discs in which its relations end; shape (n, 2)."""
    out = np.zeros((len(home), 2))
    for a, b in (edges.T, edges.T[::-1]):
        np.add.at(out, a, centres[home[b]] - centres[home[a]])
    length = np.hypot(*out.T)[:, None]
    return out / np.where(length > 0, length, 1.0)


def _disc(
    inside: NDArray[Any],
    edges: NDArray[Any],
    outward: Points,
    radius: float,
    draw: np.random.Generator,
) -> Points:
    """Places of one category's entities round (0, 0), within its radius; shape (m, 2)."""
    count = len(inside)
    at = _spiral(count, radius)[draw.permutation(count)]
    if count < 3:
        return at
    local = np.full(int(max(inside.max(), edges.max(initial=0))) + 1, -1)
    local[inside] = np.arange(count)
    ends = local[edges]
    ends = ends[(ends >= 0).all(axis=1)]
    for step in range(ITERATIONS):
        others = draw.choice(count, SAMPLE, replace=False) if count > SAMPLE else np.arange(count)
        gap = at[:, None, :] - at[None, others, :]
        square = np.maximum((gap**2).sum(axis=2), 0.04)
        push = (gap / square[:, :, None]).sum(axis=1) * (count / len(others))
        pull = ends[:, 1], at[ends[:, 1]] - at[ends[:, 0]]
        length = np.hypot(*pull[1].T)[:, None]
        np.subtract.at(push, pull[0], pull[1] * length)
        np.add.at(push, ends[:, 0], pull[1] * length)
        push += 0.4 * outward[inside] * radius - at / ROOM**2
        size = np.maximum(np.hypot(*push.T)[:, None], 1e-9)
        at = at + push / size * np.minimum(size, radius * 0.15 * (1 - step / ITERATIONS))
        beyond = np.maximum(np.hypot(*at.T)[:, None] / radius, 1)
        at = at / beyond
    return at


def _spiral(count: int, radius: float) -> Points:
    """Evenly spread points of a disc (Vogel 1979), inside to outside; shape (count, 2)."""
    turn = np.arange(count) * GOLDEN
    reach = radius * np.sqrt((np.arange(count) + 0.5) / max(count, 1))
    reach[:1] = 0.0
    return np.stack([reach * np.cos(turn), reach * np.sin(turn)], axis=1)
