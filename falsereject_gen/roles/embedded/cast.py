"""The parts of the embedded cast, made once and given out by role."""

from collections.abc import Sequence
from functools import cached_property

from falsereject_gen.dedup.encoder import Encoder
from falsereject_gen.dedup.index import TextIndex
from falsereject_gen.entities.lexicon import Lexicon
from falsereject_gen.errors import UsageError
from falsereject_gen.records import Strategy
from falsereject_gen.roles.embedded.discriminator import LinearDiscriminator
from falsereject_gen.roles.embedded.generator import GrammarGenerator
from falsereject_gen.roles.embedded.generic import load_generic
from falsereject_gen.roles.embedded.grammar import load_grammar
from falsereject_gen.roles.embedded.guards import LexicalGuard, NeighbourGuard, StrictGuard
from falsereject_gen.roles.embedded.knowledge import load_knowledge
from falsereject_gen.roles.embedded.orchestrator import RuleOrchestrator
from falsereject_gen.roles.embedded.stock import Stock, packaged_seeds
from falsereject_gen.roles.embedded.triggers import Triggers
from falsereject_gen.roles.protocols import Generator, Orchestrator, Target
from falsereject_gen.rooms import Rooms
from falsereject_gen.settings import RunSettings
from falsereject_gen.taxonomy import Taxonomy

__all__ = ["EmbeddedParts"]


class EmbeddedParts:
    """Embedded players, offline.

    Args:
        settings: thresholds of the loop and the guards.
        rooms: readings, grammar, patterns, fitted heads.
        taxonomy: its trigger terms.
        lexicon: its hot entities.
        encoder: sentence vectors.
        seeds: index of the toxic seeds, for the neighbour guard.
    """

    def __init__(
        self,
        settings: RunSettings,
        rooms: Rooms,
        taxonomy: Taxonomy,
        lexicon: Lexicon,
        encoder: Encoder,
        seeds: TextIndex,
    ) -> None:
        self._settings, self._rooms = settings, rooms
        self._encoder, self._seeds = encoder, seeds
        self._taxonomy, self._lexicon = taxonomy, lexicon
        self._triggers = Triggers(taxonomy, lexicon, rooms)
        self.discriminator = LinearDiscriminator.load(rooms, encoder, self._triggers, settings.loop)

    @cached_property
    def stock(self) -> Stock:
        """Readings of the run's categories and seeds, own and generic."""
        return Stock(
            load_knowledge(self._rooms),
            load_generic(self._rooms, self._lexicon, self._triggers),
            self._taxonomy,
            self._seeds.texts,
            ours=packaged_seeds(self._rooms),
            share=self._settings.sampling.generic_share,
        )

    def generator(self) -> Generator:
        """The grammar."""
        return GrammarGenerator(self.stock, load_grammar(self._rooms), self._triggers)

    def serves(self, category: str) -> dict[Strategy, frozenset[str]]:
        """What the grammar can write in a category: strategies, and the entities of each.

        A strategy that is not named has no reading there; the planner does not ask for it.
        """
        return self.stock.strategies(category)

    def orchestrator(self) -> Orchestrator:
        """The rules."""
        return RuleOrchestrator(self._rooms)

    def pool(self, names: Sequence[str]) -> list[Target]:
        """Guards by name.

        Raises:
            UsageError: a guard that does not exist, or one twice.
        """
        limits = self._settings.guards
        guards: dict[str, Target] = {
            "lexical-guard": LexicalGuard(self._triggers, limits.lexical_min),
            "neighbour-guard": NeighbourGuard(self._seeds, self._encoder, limits.neighbour_min),
            "strict-guard": StrictGuard(self.discriminator, limits.strict_harm),
        }
        unknown = [name for name in names if name not in guards]
        if unknown or len(set(names)) < len(names):
            raise UsageError(
                f"setting `pool`: {', '.join(names)}: each once, of {', '.join(guards)}"
            )
        return [guards[name] for name in names]
