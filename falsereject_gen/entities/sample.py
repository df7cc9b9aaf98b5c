"""Briefs drawn from the entity graphs: spread over categories, strategies and rare entities.

The planner sees results with a fixed delay (`lookahead` briefs), never earlier: brief k depends on
nothing but the settings and on what became of the briefs up to k - lookahead. So the same run has
the same briefs, however long its replies take.
"""

import random
from collections import Counter, defaultdict, deque
from collections.abc import Sequence

from falsereject_gen.records import (
    Brief,
    Candidate,
    Entity,
    Seed,
    SeedGraph,
    Strategy,
    content_id,
)
from falsereject_gen.settings import SamplingSettings

__all__ = ["Planner"]


class Planner:
    """Draws the briefs of a run, one after the other.

    Args:
        seeds: toxic seeds; their categories are the ones that are served.
        graphs: the small graph of each seed, in the same order.
        strategies: ids, in the order that breaks ties.
        limits: how many entities a brief has.
        patience: briefs in a row without an accepted row after which a category is closed.
        lookahead: how many briefs later a result counts.
        rng: the run's random seed.
    """

    def __init__(
        self,
        seeds: Sequence[Seed],
        graphs: Sequence[SeedGraph],
        strategies: Sequence[Strategy],
        limits: SamplingSettings,
        patience: int,
        lookahead: int,
        rng: int,
    ) -> None:
        self._by_category: dict[str, list[SeedGraph]] = defaultdict(list)
        for seed, graph in zip(seeds, graphs, strict=True):
            if graph.entities:
                self._by_category[seed.category].append(graph)
        self._strategies = list(strategies)
        self._limits = limits
        self._patience = patience
        self._lookahead = lookahead
        self._rng = rng
        self._open = sorted(self._by_category)
        self._load: Counter[tuple[str, ...]] = Counter()
        self._seed_uses: Counter[str] = Counter()
        self._entity_uses: Counter[str] = Counter()
        self._barren: Counter[str] = Counter()
        self._seen: deque[tuple[str, str, bool]] = deque()
        self._learned = 0
        self.closed: dict[str, int] = {}

    @property
    def categories(self) -> tuple[str, ...]:
        """Categories that have seeds with entities."""
        return tuple(sorted(self._by_category))

    def record(self, candidate: Candidate) -> None:
        """Take note of a committed candidate, in the order of the run."""
        brief = candidate.brief
        self._seen.append((brief.category, brief.strategy, candidate.status == "accepted"))

    def _learn(self) -> None:
        """Let the oldest noted result count."""
        self._learned += 1
        category, strategy, accepted = self._seen.popleft()
        if accepted:
            self._barren[category] = 0
            return
        self._load[category,] -= 1
        self._load[category, strategy] -= 0.5  # type: ignore[assignment]
        self._barren[category] += 1
        if self._barren[category] >= self._patience and category in self._open:
            self._open.remove(category)
            self.closed[category] = self._barren[category]

    def brief(self, ordinal: int) -> Brief | None:
        """The next brief, or None when every category is closed.

        Briefs are asked for in order, each at most `lookahead` ahead of the last noted result.
        """
        self._catch_up(ordinal)
        if not self._open:
            return None
        rng = random.Random(f"{self._rng}/brief/{ordinal}")
        category = min(self._open, key=lambda c: (self._load[c,], rng.random()))
        strategy = min(
            self._strategies,
            key=lambda s: (self._load[category, s], self._load["", s], rng.random()),
        )
        graph = min(
            self._by_category[category],
            key=lambda g: (self._seed_uses[g.seed_id], rng.random()),
        )
        entities = self._draw(graph.entities, rng)
        self._use(category, strategy, [graph.seed_id], entities)
        kept = {entity.id for entity in entities}
        relations = tuple(r for r in graph.relations if r.source in kept and r.target in kept)
        body = [ordinal, category, strategy, [e.id for e in entities], graph.seed_id, self._rng]
        return Brief(
            id=content_id("b", body),
            ordinal=ordinal,
            category=category,
            strategy=strategy,
            entities=entities,
            relations=relations,
            seed_ids=(graph.seed_id,),
            rng=rng.getrandbits(48),
        )

    def restore(self, brief: Brief) -> None:
        """Count a brief that an earlier sitting drew, in order, whatever would be drawn now.

        With the same seeds that is the brief that `brief` would draw; with seeds added since, the
        stored one stands, and the new seeds are behind by all uses of the old ones.
        """
        self._catch_up(brief.ordinal)
        self._use(brief.category, brief.strategy, brief.seed_ids, brief.entities)

    def _catch_up(self, ordinal: int) -> None:
        while self._learned <= ordinal - self._lookahead:
            self._learn()

    def _use(
        self,
        category: str,
        strategy: Strategy,
        seed_ids: Sequence[str],
        entities: Sequence[Entity],
    ) -> None:
        self._load.update([(category,), (category, strategy), ("", strategy)])
        self._seed_uses.update(seed_ids)
        self._entity_uses.update(entity.id for entity in entities)

    def _draw(self, entities: Sequence[Entity], rng: random.Random) -> tuple[Entity, ...]:
        """A few entities of a seed, rarely used ones first, in the order of the seed."""
        most = min(self._limits.entities_max, len(entities))
        least = min(self._limits.entities_min, most)
        count = rng.randint(least, most)
        ranked = sorted(entities, key=lambda e: (self._entity_uses[e.id], rng.random()))
        kept = {entity.id for entity in ranked[:count]}
        return tuple(entity for entity in entities if entity.id in kept)
