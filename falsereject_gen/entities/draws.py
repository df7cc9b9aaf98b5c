"""The named ways in which the entities of a brief are drawn (setting `sampling.graph`).

`seed`: one seed's own graph, as in FalseReject. `walk`: a weighted random walk in the merged graph
inside and around the category, to entities that no single seed holds. `bridge`: a path from the
category to another one. `coverage`: what was used least in this run, with its rarest neighbours.
`none`: nothing; the category's name must do.

A draw is a function of what is asked, of what was used so far and of its random numbers. It keeps
no state: counting and the rule against drawing twice are the planner's (sample.py).
"""

import random
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import combinations

from falsereject_gen.entities.ground import Ask, Drawn, Ground, Uses
from falsereject_gen.records import Entity, SeedGraph

__all__ = ["EXHAUSTIVE", "WAYS", "Draw"]

AROUND = 0.25
"""How likely a walk steps to an entity outside of the category, one inside it having 1."""
RESTART = 0.15
"""How likely a walk goes back to its start (as in random walks with restart, Tong et al. 2006)."""
STEPS = 12
"""Steps of a walk for each entity wanted, at most."""
TRIES = 24
"""Draws that are offered before a pair of category and strategy counts as drawn out."""

Draw = Callable[[Ask, Uses, random.Random], Iterator[Drawn]]
"""Offers what a brief could be about, best first; a few or all that there are."""


def _seed(ground: Ground) -> Draw:
    def draw(ask: Ask, uses: Uses, rng: random.Random) -> Iterator[Drawn]:
        graphs = ground.by_category[ask.category]
        graphs = [g for g in graphs if ask.seeds is None or g.seed_id in ask.seeds]
        ranked = sorted(graphs, key=lambda g: (uses.seeds[g.seed_id], rng.random()))
        for small in ranked:
            count = ground.count(rng, len(small.entities))
            rare = sorted(small.entities, key=lambda e: (uses.entities[e.id], rng.random()))
            yield _part(small, rare[:count])
        for small in ranked:  # whatever is left of them, when they have all been drawn
            most = min(ground.limits.entities_max, len(small.entities))
            least = min(ground.limits.entities_min, most)
            for count in range(least, most + 1):
                yield from (_part(small, few) for few in combinations(small.entities, count))

    return draw


def _part(small: SeedGraph, entities: Iterable[Entity]) -> Drawn:
    """Some entities of a seed, in its order, and how they relate."""
    kept = {entity.id for entity in entities}
    relations = tuple(r for r in small.relations if r.source in kept and r.target in kept)
    ordered = tuple(entity for entity in small.entities if entity.id in kept)
    return Drawn(ordered, relations, (small.seed_id,))


def _walk(ground: Ground) -> Draw:
    def draw(ask: Ask, uses: Uses, rng: random.Random) -> Iterator[Drawn]:
        met = []
        for _ in range(TRIES):
            names = _path(ground, ask, uses, rng)
            if len(names) > 1 and not ground.met(names):
                yield ground.drawn(names, ask, uses)
            else:
                met.append(names)
        if len(met) == TRIES:  # one seed holds everything that can be reached
            yield from (ground.drawn(names, ask, uses) for names in met)

    return draw


def _path(ground: Ground, ask: Ask, uses: Uses, rng: random.Random) -> list[str]:
    """Entities in the order in which a walk comes to them."""
    here, used = ground.of[ask.category], _used(ground, ask, uses)
    count = max(2, ground.count(rng, len(here)))
    start = current = _pick(rng, here, lambda n: ground.weight[n] / (1 + used(n)))
    found: dict[str, None] = {start: None}
    for _ in range(STEPS * count):
        if len(found) >= count:
            break
        near = list(ground.links[current])
        if not near or rng.random() < RESTART:
            current = start if near else _pick(rng, here, lambda n: 1.0)
            found[current] = None
            continue
        current = _pick(rng, near, _step(ground, current, ask, uses))
        found[current] = None
    return list(found)


def _step(ground: Ground, at: str, ask: Ask, uses: Uses) -> Callable[[str], float]:
    links, used = ground.links[at], _used(ground, ask, uses)

    def likely(name: str) -> float:
        inside = 1.0 if ask.category in ground.homes[name] else AROUND
        return inside * links[name] / (1 + used(name))

    return likely


def _bridge(ground: Ground) -> Draw:
    def draw(ask: Ask, uses: Uses, rng: random.Random) -> Iterator[Drawn]:
        most, used = ground.limits.entities_max, _used(ground, ask, uses)
        for _ in range(TRIES):
            start = _pick(rng, ground.of[ask.category], lambda n: 1 / (1 + used(n)))
            before = _reached(ground, start, most - 1, rng)
            far = sorted(name for name in before if ask.category not in ground.homes[name])
            if not far:
                continue
            end = _pick(rng, far, lambda n: 1 / (1 + used(n)))
            path = [end]
            while path[-1] != start:
                path.append(before[path[-1]])
            yield ground.drawn(path[::-1], ask, uses)

    return draw


def _reached(ground: Ground, start: str, depth: int, rng: random.Random) -> dict[str, str]:
    """Entities within so many steps, each with the one before it on a shortest path."""
    before: dict[str, str] = {start: start}
    queue = deque([(start, 0)])
    while queue:
        name, steps = queue.popleft()
        if steps == depth:
            continue
        near = [other for other in ground.links[name] if other not in before]
        rng.shuffle(near)
        for other in near:
            before[other] = name
            queue.append((other, steps + 1))
    return before


def _coverage(ground: Ground) -> Draw:
    def draw(ask: Ask, uses: Uses, rng: random.Random) -> Iterator[Drawn]:
        rank = {
            name: (*uses.of(ground.concept[name], ask), rng.random())
            for name in _sayable(ground, ask)
        }
        ranked = sorted(rank, key=lambda name: rank[name])
        for first in ranked:
            count, near = ground.count(rng, len(ranked)), ground.links[first]
            others = sorted(ranked, key=lambda n: (rank[n][0], n not in near, rank[n]))
            few = [first, *(name for name in others[:count] if name != first)]
            yield ground.drawn(few[:count], ask, uses)

    return draw


def _sayable(ground: Ground, ask: Ask) -> list[str]:
    """Entities of the category; where the cast says what it knows of, what is like that instead.

    What it knows of may be an entity of other categories: it need not be named by a seed of this.
    """
    if not ask.known:
        return ground.of[ask.category]
    found = [name for known in sorted(ask.known) for name in ground.by_concept.get(known, ())]
    return found or ground.of[ask.category]


def _none(ground: Ground) -> Draw:
    def draw(ask: Ask, uses: Uses, rng: random.Random) -> Iterator[Drawn]:
        yield Drawn()

    return draw


def _used(ground: Ground, ask: Ask, uses: Uses) -> Callable[[str], int]:
    """How often the concept of an entity was used in the category."""
    return lambda name: uses.of(ground.concept[name], ask)[1]


def _pick(rng: random.Random, names: Sequence[str], weigh: Callable[[str], float]) -> str:
    weights = [weigh(name) for name in names]
    if not any(weights):
        return rng.choice(list(names))
    return rng.choices(list(names), weights)[0]


WAYS: dict[str, Callable[[Ground], Draw]] = {
    "seed": _seed,
    "walk": _walk,
    "bridge": _bridge,
    "coverage": _coverage,
    "none": _none,
}
EXHAUSTIVE = frozenset({"seed"})
"""Ways that offer everything there is: what they have not offered, they never will."""
