"""Which readings a brief gets: those written for its category, or generic ones in their place.

Own readings come first. Generic ones serve a category that has none for a strategy, and, in a
category that has, up to a stated share of the briefs whose entities nobody knows. `Stock` also
tells a planner what can be planned at all, and counts how the entities of a run are served.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from math import floor
from typing import Literal

from falsereject_gen.entities.phrases import ActPhrase
from falsereject_gen.records import Brief, Entity, SeedGraph, Strategy, content_id
from falsereject_gen.roles.embedded.generic import Generic
from falsereject_gen.roles.embedded.knowledge import Knowledge, Reading
from falsereject_gen.rooms import Rooms
from falsereject_gen.seeds.bundled import seed_files
from falsereject_gen.taxonomy import Taxonomy

__all__ = ["Served", "Stock", "packaged_seeds"]

Served = Literal["own", "like", "generic", "none"]
"""How an entity is met: by a reading of its own, by that of its nearest kin, generically, not."""
LINES = 5
"""Lines of a strategy that one seed may use."""


class Stock:
    """Own and generic readings of a run's categories and seeds.

    Args:
        knowledge: readings by category.
        generic: readings for what has none; None: there are none, whatever else is given.
        taxonomy: names and neighbours of the categories.
        seeds: text of each seed by id.
        ours: ids of seeds that the readings were written for; in their categories they get no
            generic reading.
        share: of the briefs with unknown entities in a category with readings, how many may be
            served generically, 0..1.
    """

    def __init__(
        self,
        knowledge: Knowledge,
        generic: Generic | None = None,
        taxonomy: Taxonomy | None = None,
        seeds: Mapping[str, str] | None = None,
        ours: Iterable[str] = (),
        share: float = 0.0,
    ) -> None:
        self._knowledge, self._generic, self._taxonomy = knowledge, generic, taxonomy
        self._place = {seed: place for place, seed in enumerate(seeds or {})}
        self._seeds, self._ours, self._share = seeds or {}, frozenset(ours), share
        self._known = cache(self._known_entities)
        self._act = cache(self._act_of)

    def readings(self, brief: Brief) -> tuple[list[Reading], list[Reading]]:
        """Readings of a brief's category and strategy: generic ones that go first, and own ones."""
        own = self._own(brief.category, brief.strategy)
        if own and not self._may(brief):
            return [], own
        found = [r for r in self._made(brief) if r.strategy == brief.strategy]
        return found, own

    def strategies(self, category: str) -> dict[Strategy, frozenset[str]]:
        """What can be written in a category: strategies, and the entities of each.

        No entities: generic readings serve it, whatever entities the seeds have. A strategy that
        is not named has no reading; a planner need not ask for it.
        """
        found: dict[Strategy, frozenset[str]] = {}
        for reading in self._knowledge.readings(category):
            found[reading.strategy] = found.get(reading.strategy, frozenset()).union(
                reading.entities
            )
        if self._generic is not None:
            for strategy in self._generic.strategies:
                found.setdefault(strategy, frozenset())
        return found

    def serves(self, graph: SeedGraph) -> frozenset[Strategy]:
        """Strategies that can be written from one seed; none: nothing can be said of it."""
        own = {reading.strategy for reading in self._knowledge.readings(graph.category)}
        return frozenset(own | {reading.strategy for reading in self._made(graph)})

    def entities(self, graph: SeedGraph) -> dict[str, Served]:
        """How each entity of a seed is served in its category, by id."""
        known = self._known(graph.category)
        act = self._act(graph.seed_id) if self._generic_for(graph) else None
        out: dict[str, Served] = {}
        for entity in graph.entities:
            if entity.id in known:
                out[entity.id] = "own"
            elif entity.like in known:
                out[entity.id] = "like"
            elif self._generic_for(graph) and self._says(act, entity):
                out[entity.id] = "generic"
            else:
                out[entity.id] = "none"
        return out

    def counts(self, graphs: Iterable[SeedGraph]) -> dict[str, dict[str, int]]:
        """Entities of each category by how they are served, each counted once, at its best."""
        order: tuple[Served, ...] = ("own", "like", "generic", "none")
        best: dict[str, dict[str, Served]] = {}
        for graph in graphs:
            mine = best.setdefault(graph.category, {})
            for name, how in self.entities(graph).items():
                mine[name] = min(how, mine.get(name, how), key=order.index)
        return {
            category: {how: Counter(found.values())[how] for how in order}
            for category, found in sorted(best.items())
        }

    def mute(self, graphs: Iterable[SeedGraph]) -> dict[str, tuple[str, ...]]:
        """Ids of the seeds of which nothing can be said, by category."""
        found: dict[str, tuple[str, ...]] = {}
        for graph in graphs:
            if not self.serves(graph):
                found[graph.category] = (*found.get(graph.category, ()), graph.seed_id)
        return dict(sorted(found.items()))

    def _own(self, category: str, strategy: Strategy) -> list[Reading]:
        return [r for r in self._knowledge.readings(category) if r.strategy == strategy]

    def _may(self, brief: Brief) -> bool:
        """Whether a brief in a category with readings is one of the share."""
        step = floor((brief.ordinal + 1) * self._share) > floor(brief.ordinal * self._share)
        known = self._known(brief.category)
        strange = not any({e.id, e.like} & known for e in brief.entities)
        return step and strange and bool(brief.seed_ids) and not self._ours & {*brief.seed_ids}

    def _made(self, source: Brief | SeedGraph) -> list[Reading]:
        """All generic readings of a brief, or of a seed with all its entities."""
        if self._generic is None or not self._taxonomy or source.category not in self._taxonomy:
            return []
        category = self._taxonomy[source.category]
        seeds = source.seed_ids if isinstance(source, Brief) else (source.seed_id,)
        out: list[Reading] = []
        for place, act in ((self._place[s], self._act(s)) for s in seeds if s in self._seeds):
            if act is not None:
                out = self._generic.of_act(act, category, source.entities)
                out = allotted(out, place, category.id, self._generic.heat)
                break
        for entity in source.entities:
            note = self._generic.noun(entity)
            out += self._generic.of_noun(note, category) if note else []
        return out

    def _generic_for(self, graph: SeedGraph) -> bool:
        """Whether generic readings can serve a seed's entities."""
        if self._generic is None:
            return False
        strange = not self._knowledge.readings(graph.category)
        return strange or (self._share > 0 and graph.seed_id not in self._ours)

    def _says(self, act: ActPhrase | None, entity: Entity) -> bool:
        inside = act is not None and entity.surface.lower() in act.do.lower()
        return inside or (self._generic is not None and self._generic.noun(entity) is not None)

    def _known_entities(self, category: str) -> frozenset[str]:
        readings = self._knowledge.readings(category)
        return frozenset(name for reading in readings for name in reading.entities)

    def _act_of(self, seed: str) -> ActPhrase | None:
        text = self._seeds.get(seed)
        return self._generic.act(text) if text and self._generic else None


def allotted(
    readings: Sequence[Reading], place: int, salt: str, heat: Callable[[str], float]
) -> list[Reading]:
    """The lines of each strategy that the seed at a place may use: about `LINES` of them, in turn.

    Without it every seed of a category would be asked about with the few lines that the gates like
    best, and one row would come five times with another act. Nobody keeps count of what was used
    (a resumed run must write the same), so the lines are dealt out beforehand.
    """
    lines: dict[Strategy, list[tuple[int, str]]] = {}
    for number, reading in enumerate(readings):
        for line in (*reading.ask, *reading.wh):
            lines.setdefault(reading.strategy, []).append((number, line))
    kept: set[tuple[int, str]] = set()
    for strategy, found in lines.items():
        random.Random(f"{salt}/{strategy}").shuffle(found)
        found.sort(key=lambda line: heat(line[1]))  # so that everybody has cool and hot ones
        step = max(1, len(found) // LINES)
        kept.update(found[(place + k * step) % len(found)] for k in range(LINES))
    out = []
    for number, reading in enumerate(readings):
        ask = tuple(line for line in reading.ask if (number, line) in kept)
        wh = tuple(line for line in reading.wh if (number, line) in kept)
        if ask or wh:
            out.append(reading.model_copy(update={"ask": ask, "wh": wh}))
    return out


def packaged_seeds(rooms: Rooms) -> frozenset[str]:
    """Ids of the seeds that come with the package, and that its readings were written for."""
    return frozenset(
        content_id("s", text)
        for part in seed_files(rooms)
        if rooms.read[f"graphs/seeds/{part.category}.yaml"]["from"] == "package"
        for text in part.seeds
    )
