"""The languages of a run's seeds: whose turn it is in a category, and what is drawn from there.

A brief has one language, that of its seeds. A category's briefs are shared out among its languages
in proportion to their seeds, whatever becomes of them; rows are balanced by category as ever.

Seeds in other languages have a graph only if a model extracted one. A category's seeds without any
entity in a language are drawn one by one, the least used first: the brief then names its category
and its seed, and no entities.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from falsereject_gen.entities.draws import WAYS, Draw
from falsereject_gen.entities.graph import of_seeds
from falsereject_gen.entities.ground import Ground
from falsereject_gen.records import ENGLISH, Seed, SeedGraph
from falsereject_gen.settings import SamplingSettings

if TYPE_CHECKING:
    import networkx as nx

__all__ = ["Tongues"]

_Graphs = dict[str, list[SeedGraph]]


class Tongues:
    """Draws for every category and language.

    Args:
        seeds: toxic seeds.
        graphs: the small graph of each, in the same order; an English one without entities is
            left out.
        graph: the merged graph.
        limits: how entities are drawn.

    Attributes:
        by_category: the small graphs of each category, of all languages.
    """

    def __init__(
        self,
        seeds: Sequence[Seed],
        graphs: Sequence[SeedGraph],
        graph: "nx.MultiDiGraph",
        limits: SamplingSettings,
    ) -> None:
        self.by_category: _Graphs = defaultdict(list)
        self._seeds: dict[str, Counter[str]] = defaultdict(Counter)
        self._used: Counter[tuple[str, str]] = Counter()
        spoken: dict[str, _Graphs] = defaultdict(lambda: defaultdict(list))
        for seed, small in zip(seeds, graphs, strict=True):
            if small.entities or seed.language != ENGLISH:
                self.by_category[seed.category].append(small)
                spoken[seed.language][seed.category].append(small)
            if small.entities or seed.language != ENGLISH or limits.graph == "none":
                self._seeds[seed.category][seed.language] += 1
        self._draws = {
            (category, language): draw
            for language, found in spoken.items()
            for category, draw in _draws(found, graph, limits, alone=len(spoken) == 1).items()
        }
        self._nothing = WAYS["none"](Ground({}, graph, limits)) if limits.graph == "none" else None

    def in_turn(self, category: str) -> Iterator[tuple[str, Draw]]:
        """The languages of a category, the one that is most behind first (Webster's method)."""
        found = self._seeds[category]
        for language in sorted(found, key=lambda code: (self._behind(category, code), code)):
            yield language, self._nothing or self._draws[category, language]

    def use(self, category: str, language: str) -> None:
        """Count a brief."""
        self._used[category, language] += 1

    def _behind(self, category: str, language: str) -> float:
        return (2 * self._used[category, language] + 1) / self._seeds[category][language]


def _draws(
    found: _Graphs, graph: "nx.MultiDiGraph", limits: SamplingSettings, alone: bool
) -> dict[str, Draw]:
    """How each category's briefs are drawn in one language, from nothing of another one."""
    named = {small.seed_id: category for category, few in found.items() for small in few}
    ground = Ground(found, graph if alone else of_seeds(graph, named), limits)
    way, bare = WAYS[limits.graph](ground), WAYS["seed"](ground)
    return {
        category: way if any(small.entities for small in few) else bare
        for category, few in found.items()
    }
