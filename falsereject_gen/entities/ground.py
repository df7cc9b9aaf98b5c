"""What briefs are drawn from and counted with: seeds' graphs, the merged graph, and uses so far.

Nothing is drawn in here; the ways to draw are draws.py.
"""

import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from falsereject_gen.records import Entity, Relation, SeedGraph
from falsereject_gen.settings import SamplingSettings

if TYPE_CHECKING:
    import networkx as nx

__all__ = ["Ask", "Drawn", "Ground", "Uses"]


@dataclass(frozen=True)
class Ask:
    """What entities are drawn for.

    Attributes:
        category: where the brief belongs.
        strategy: how it shall be benign.
        known: entities that the cast can speak of here; None: of any.
        seeds: seeds that the cast can speak of here; None: of any.
    """

    category: str
    strategy: str
    known: frozenset[str] | None = None
    seeds: frozenset[str] | None = None


@dataclass
class Uses:
    """How often this run has drawn what; entities that stand in accepted rows count once more."""

    seeds: Counter[str] = field(default_factory=Counter)
    entities: Counter[str] = field(default_factory=Counter)
    concepts: Counter[tuple[str, ...]] = field(default_factory=Counter)

    def count(self, names: Iterable[str], category: str, strategy: str) -> None:
        """Note that these concepts were used."""
        for name in names:
            self.concepts.update([(name,), (name, category), (name, category, strategy)])

    def of(self, name: str, ask: Ask) -> tuple[int, int, int]:
        """Uses of a concept for this category and strategy, in this category, and in all."""
        keys = ((name, ask.category, ask.strategy), (name, ask.category), (name,))
        return self.concepts[keys[0]], self.concepts[keys[1]], self.concepts[keys[2]]


@dataclass(frozen=True)
class Drawn:
    """What a brief is to be about."""

    entities: tuple[Entity, ...] = ()
    relations: tuple[Relation, ...] = ()
    seed_ids: tuple[str, ...] = ()


class Ground:
    """Seeds' graphs and the merged graph, laid out for drawing.

    Args:
        by_category: the small graphs of each category; none of them is empty.
        graph: the merged graph (`entities.graph.merge`).
        limits: how many entities a brief has.
    """

    def __init__(
        self,
        by_category: dict[str, list[SeedGraph]],
        graph: "nx.MultiDiGraph",
        limits: SamplingSettings,
    ) -> None:
        self.by_category, self.limits = by_category, limits
        self.entities: dict[str, Entity] = {}
        self.concept: dict[str, str] = {}
        self.by_concept: dict[str, list[str]] = defaultdict(list)
        self.weight: dict[str, int] = {}
        self.seeds: dict[str, list[str]] = {}
        self.homes: dict[str, frozenset[str]] = {}
        self.of: dict[str, list[str]] = defaultdict(list)
        for name, data in graph.nodes(data=True):
            self.entities[name] = Entity(
                id=name, surface=data["surface"], kind=data["kind"], like=data["like"]
            )
            self.concept[name] = data["like"] or name
            self.by_concept[self.concept[name]].append(name)
            self.weight[name], self.seeds[name] = data["weight"], data["seeds"]
            self.homes[name] = frozenset(data["categories"])
            for category in data["categories"]:
                self.of[category].append(name)
        self.links: dict[str, dict[str, float]] = {name: {} for name in graph}
        self.edges: dict[tuple[str, str], list[tuple[int, str, list[str]]]] = defaultdict(list)
        self._link(graph)
        self.category_of = {
            small.seed_id: category for category, found in by_category.items() for small in found
        }

    def _link(self, graph: "nx.MultiDiGraph") -> None:
        for source, target, data in graph.edges(data=True):
            self.edges[source, target].append((-data["weight"], data["label"], data["seeds"]))
            for a, b in ((source, target), (target, source)):
                self.links[a][b] = self.links[a].get(b, 0) + data["weight"]
        for name, near in self.links.items():
            self.links[name] = dict(sorted(near.items()))

    def count(self, rng: random.Random, most: int) -> int:
        """How many entities a brief shall have, of so many that there are."""
        most = min(self.limits.entities_max, most)
        return rng.randint(min(self.limits.entities_min, most), most)

    def met(self, names: Sequence[str]) -> bool:
        """Whether one seed holds all of these entities."""
        smallest, *others = sorted((self.seeds[name] for name in names), key=len)
        return bool(set(smallest).intersection(*others))

    def drawn(self, names: Sequence[str], ask: Ask, uses: Uses) -> Drawn:
        """A brief of these entities: the heaviest relation of each two, and a seed for each one."""
        relations = []
        for a in names:
            for b in names:
                for _, label, seeds in sorted(self.edges.get((a, b), ()))[:1]:
                    relations.append(Relation(source=a, label=label, target=b, seed_id=seeds[0]))
        witnesses = dict.fromkeys(self._witness(name, ask, uses) for name in names)
        entities = tuple(self.entities[name] for name in names)
        return Drawn(entities, tuple(relations), tuple(witnesses))

    def _witness(self, name: str, ask: Ask, uses: Uses) -> str:
        """The least used seed that names an entity: one that can be spoken of, or of the category.

        Only where there is no such seed, one of another category stands for it.
        """
        own = [seed for seed in self.seeds[name] if self.category_of.get(seed) == ask.category]
        able = [seed for seed in own if ask.seeds is None or seed in ask.seeds]
        return min(able or own or self.seeds[name], key=lambda seed: uses.seeds[seed])
