"""Briefs drawn from the entity graph: spread over categories, strategies and entities.

The planner sees results with a fixed delay (`lookahead` briefs), never earlier: brief k depends on
nothing but the settings and on what became of the briefs up to k - lookahead. So the same run has
the same briefs, however long its replies take. When every category has what it may have, brief k
waits for all results before it: again the same, however long they take.

How the entities of a brief are drawn is draws.py; in which language it is, tongues.py.
"""

import random
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from falsereject_gen.entities.draws import EXHAUSTIVE
from falsereject_gen.entities.graph import merge
from falsereject_gen.entities.ground import Ask, Drawn, Uses
from falsereject_gen.entities.tongues import Tongues
from falsereject_gen.errors import UsageError
from falsereject_gen.records import (
    ENGLISH,
    Brief,
    Candidate,
    Entity,
    Seed,
    SeedGraph,
    Strategy,
    content_id,
)
from falsereject_gen.settings import SamplingSettings

if TYPE_CHECKING:
    import networkx as nx

__all__ = ["Planner", "Says", "Serves", "check_quotas"]

Serves = Callable[[str], Mapping[Strategy, Collection[str]]]
"""What a cast can write for a category: the strategies, and the entities it knows of in each."""
Says = Callable[[SeedGraph], Collection[Strategy]]
"""The strategies that a cast can write from one seed, where it knows of no entity in particular."""
MUTE = 3
"""Briefs in a row of a category and strategy without one draft, after which it is left out; as
many as the category has seeds, if those are more."""


class Planner:
    """Draws the briefs of a run, one after the other.

    Args:
        seeds: toxic seeds; their categories and languages are the ones that are served.
        graphs: the small graph of each seed, in the same order.
        strategies: ids, in the order that breaks ties.
        limits: how entities are drawn, how many a brief has, and quotas.
        patience: briefs in a row without an accepted row after which a category is closed.
        lookahead: how many briefs later a result counts.
        rng: the run's random seed.
        graph: the merged graph; None: `graphs`, merged by name.
        serves: what the cast can write; None: everything.
        says: what it can write from one seed; None: all that it can write.

    Attributes:
        closed: categories that were given up, and after how many barren briefs.
        drawn_out: categories that had nothing left to draw, and how often that was met.
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
        graph: "nx.MultiDiGraph | None" = None,
        serves: Serves | None = None,
        says: Says | None = None,
    ) -> None:
        merged = graph if graph is not None else merge(graphs)
        self._tongues = Tongues(seeds, graphs, merged, limits)
        by_category = self._tongues.by_category
        named: Iterable[str] = {seed.category for seed in seeds}
        self._served = tuple(sorted(named if limits.graph == "none" else by_category))
        self._strategies = tuple(strategies)
        self._pairs = {
            c: _servable(c, strategies, by_category.get(c, []), serves, says) for c in self._served
        }
        self._mute_after = {c: max(MUTE, len(by_category.get(c, []))) for c in self._served}
        self._open = [c for c in self._served if self._pairs[c] and limits.quotas.get(c) != 0]
        self._limits, self._patience = limits, patience
        self._lookahead, self._rng = lookahead, rng
        self._load: Counter[tuple[str, ...]] = Counter()
        self._uses = Uses()
        self._asked: set[tuple[str, ...]] = set()
        self._all_asked: set[tuple[str, ...]] = set()
        self._barren: Counter[str] = Counter()
        self._mute: Counter[tuple[str, Strategy]] = Counter()
        self._seen: deque[Candidate] = deque()
        self._learned = 0
        self.closed: dict[str, int] = {}
        self.drawn_out: Counter[str] = Counter()

    @property
    def categories(self) -> tuple[str, ...]:
        """Categories that have seeds with entities, or in another language than English."""
        return self._served

    @property
    def left_out(self) -> dict[str, tuple[Strategy, ...]]:
        """Strategies that a category is not asked for: the cast can write nothing of them."""
        out = {c: [s for s in self._strategies if s not in self._pairs[c]] for c in self._served}
        return {category: tuple(found) for category, found in out.items() if found}

    def account(self) -> dict[str, Any]:
        """How briefs were drawn and what was left out, for the manifest."""
        return {
            "graph": self._limits.graph,
            "quotas": dict(sorted(self._limits.quotas.items())),
            "left_out": {category: list(found) for category, found in self.left_out.items()},
            "given_up": dict(sorted(self.closed.items())),
            "drawn_out": sorted(self.drawn_out),
        }

    def record(self, candidate: Candidate) -> None:
        """Take note of a committed candidate, in the order of the run."""
        self._seen.append(candidate)

    def brief(self, ordinal: int) -> Brief | None:
        """The next brief, or None when nothing (more) can be asked; ask again after a result.

        Briefs are asked for in order, each at most `lookahead` ahead of the last noted result.
        """
        if not self._ready(ordinal):
            return None
        rng = random.Random(f"{self._rng}/brief/{ordinal}")
        for category in sorted(self._wanted(), key=lambda c: (*self._rank(c), rng.random())):
            ranked = {s: (self._load[category, s], self._load["", s]) for s in self._strategies}
            order = sorted(ranked, key=lambda s: (*ranked[s], rng.random()))
            for strategy in (s for s in order if s in self._pairs[category]):
                found = self._fresh(ordinal, category, strategy)
                if found is not None:
                    return self._made(ordinal, category, strategy, *found)
            self.drawn_out[category] += 1
        return None

    def restore(self, brief: Brief) -> None:
        """Count a brief that an earlier sitting drew, in order, whatever would be drawn now.

        With the same seeds that is the brief that `brief` would draw; with seeds added since, the
        stored one stands, and the new seeds are behind by all uses of the old ones.
        """
        self._ready(brief.ordinal)
        self._use(brief)

    def _ready(self, ordinal: int) -> bool:
        """Learn what brief `ordinal` may know; whether a category wants one."""
        while self._learned <= ordinal - self._lookahead:
            self._learn()
        if self._wanted():
            return True
        if self._learned + len(self._seen) < ordinal:
            return False  # a result that is still out may open a category again
        while self._learned < ordinal:
            self._learn()
        return bool(self._wanted())

    def _learn(self) -> None:
        """Let the oldest noted result count."""
        self._learned += 1
        candidate = self._seen.popleft()
        category, strategy = candidate.brief.category, candidate.brief.strategy
        if candidate.status == "accepted":
            self._barren[category] = self._mute[category, strategy] = 0
            self._uses.count(candidate.last.draft.entities, category, strategy)
            return
        self._load[category,] -= 1
        self._load[category, strategy] -= 0.5  # type: ignore[assignment]
        self._barren[category] += 1
        silent = candidate.rounds[0].draft.exhausted
        self._mute[category, strategy] = self._mute[category, strategy] + 1 if silent else 0
        if self._mute[category, strategy] >= self._mute_after[category]:
            self._pairs[category].pop(strategy, None)
        out_of_words = not self._pairs[category] or self._barren[category] >= self._patience
        if out_of_words and category in self._open:
            self._open.remove(category)
            self.closed[category] = self._barren[category]

    def _wanted(self) -> list[str]:
        """Open categories that have not yet as many rows (or briefs under way) as they may."""
        quotas = self._limits.quotas
        return [c for c in self._open if c not in quotas or self._load[c,] < quotas[c]]

    def _rank(self, category: str) -> tuple[bool, float]:
        """Categories with a quota come first, then those with the fewest rows."""
        return category not in self._limits.quotas, self._load[category,]

    def _fresh(self, ordinal: int, category: str, strategy: Strategy) -> tuple[str, Drawn] | None:
        """A language, and entities not yet asked for in it with this category and strategy.

        The random numbers are the pair's own, so that nothing depends on which pairs were tried.
        """
        for language, draw in self._tongues.in_turn(category):
            pair = (category, strategy, language)
            if pair in self._all_asked:
                continue  # to go through all of it again would take longer with every brief
            name = f"{self._rng}/draw/{ordinal}/{category}/{strategy}{_mark(language)}"
            rng = random.Random(name)
            for drawn in draw(self._pairs[category][strategy], self._uses, rng):
                if _key(category, strategy, language, drawn.entities) not in self._asked:
                    return language, drawn
            if self._limits.graph in EXHAUSTIVE:
                self._all_asked.add(pair)
        return None

    def _made(
        self, ordinal: int, category: str, strategy: Strategy, language: str, drawn: Drawn
    ) -> Brief:
        names = [entity.id for entity in drawn.entities]
        body = [ordinal, category, strategy, names, list(drawn.seed_ids), self._rng]
        brief = Brief(
            id=content_id("b", body),
            ordinal=ordinal,
            category=category,
            strategy=strategy,
            entities=drawn.entities,
            relations=drawn.relations,
            seed_ids=drawn.seed_ids,
            rng=random.Random(f"{self._rng}/rng/{ordinal}").getrandbits(48),
            language=language,
        )
        self._use(brief)
        return brief

    def _use(self, brief: Brief) -> None:
        category, strategy, entities = brief.category, brief.strategy, brief.entities
        self._load.update([(category,), (category, strategy), ("", strategy)])
        self._tongues.use(category, brief.language)
        self._uses.seeds.update(brief.seed_ids)
        self._uses.entities.update(entity.id for entity in entities)
        self._uses.count((entity.like or entity.id for entity in entities), category, strategy)
        if entities:  # a brief of nothing but a category's name cannot differ from the last one
            self._asked.add(_key(category, strategy, brief.language, entities))


def check_quotas(limits: SamplingSettings, categories: Collection[str]) -> None:
    """Refuse quotas of categories that no seed serves.

    Raises:
        UsageError: there is such a quota; it says which categories there are.
    """
    unknown = sorted(set(limits.quotas) - set(categories))
    if unknown:
        there = ", ".join(sorted(categories))
        raise UsageError(
            f"sampling.quotas: no seed is of category `{unknown[0]}`; there are {there}"
        )


def _servable(
    category: str,
    strategies: Sequence[Strategy],
    graphs: Sequence[SeedGraph],
    serves: Serves | None,
    says: Says | None,
) -> dict[Strategy, Ask]:
    """What can be asked for in a category, by strategy."""
    if serves is None:
        return {strategy: Ask(category, strategy) for strategy in strategies}
    known = serves(category)
    out = {s: Ask(category, s, frozenset(known[s])) for s in strategies if s in known}
    if says is None or all(ask.known for ask in out.values()):
        return out
    by_seed = {small.seed_id: says(small) for small in graphs}
    for strategy in [s for s, ask in out.items() if not ask.known]:
        seeds = frozenset(seed for seed, found in by_seed.items() if strategy in found)
        out[strategy] = Ask(category, strategy, seeds=seeds)
        if not seeds:
            del out[strategy]
    return out


def _key(
    category: str, strategy: Strategy, language: str, entities: Sequence[Entity]
) -> tuple[str, ...]:
    return category, strategy, language, *sorted({entity.id for entity in entities})


def _mark(language: str) -> str:
    """What the name of a random number has more, so that English ones are drawn as ever."""
    return "" if language == ENGLISH else f"/{language}"
