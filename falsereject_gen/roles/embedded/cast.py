"""Puts the embedded cast together."""

from collections.abc import Sequence
from dataclasses import dataclass

from falsereject_gen.dedup.encoder import Encoder
from falsereject_gen.dedup.index import TextIndex
from falsereject_gen.entities.lexicon import Lexicon
from falsereject_gen.errors import UsageError
from falsereject_gen.roles.embedded.discriminator import LinearDiscriminator
from falsereject_gen.roles.embedded.generator import GrammarGenerator
from falsereject_gen.roles.embedded.grammar import load_grammar
from falsereject_gen.roles.embedded.guards import LexicalGuard, NeighbourGuard, StrictGuard
from falsereject_gen.roles.embedded.knowledge import load_knowledge
from falsereject_gen.roles.embedded.orchestrator import RuleOrchestrator
from falsereject_gen.roles.embedded.triggers import Triggers
from falsereject_gen.roles.protocols import Discriminator, Generator, Orchestrator, Target
from falsereject_gen.rooms import Rooms
from falsereject_gen.settings import RunSettings
from falsereject_gen.taxonomy import Taxonomy

__all__ = ["EmbeddedCast", "embedded_cast"]


@dataclass(frozen=True)
class EmbeddedCast:
    """Everybody a loop needs, offline."""

    generator: Generator
    discriminator: Discriminator
    pool: Sequence[Target]
    orchestrator: Orchestrator
    name: str = "embedded"


def embedded_cast(
    settings: RunSettings,
    rooms: Rooms,
    taxonomy: Taxonomy,
    lexicon: Lexicon,
    encoder: Encoder,
    seeds: TextIndex,
) -> EmbeddedCast:
    """The cast that the settings ask for.

    Raises:
        UsageError: the pool names a guard that does not exist, or one twice.
    """
    triggers = Triggers(taxonomy, lexicon)
    discriminator = LinearDiscriminator.load(rooms, encoder, triggers, settings.loop)
    limits = settings.guards
    guards: dict[str, Target] = {
        "lexical-guard": LexicalGuard(triggers, limits.lexical_min),
        "neighbour-guard": NeighbourGuard(seeds, encoder, limits.neighbour_min),
        "strict-guard": StrictGuard(discriminator, limits.strict_harm),
    }
    unknown = [name for name in settings.pool if name not in guards]
    if unknown or len(set(settings.pool)) < len(settings.pool):
        raise UsageError(f"setting `pool`: {settings.pool}: each once, of {', '.join(guards)}")
    return EmbeddedCast(
        generator=GrammarGenerator(load_knowledge(rooms), load_grammar(rooms), triggers),
        discriminator=discriminator,
        pool=[guards[name] for name in settings.pool],
        orchestrator=RuleOrchestrator(rooms),
    )
