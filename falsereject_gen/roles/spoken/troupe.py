"""Makes spoken players from cards, endpoints and assets."""

from collections.abc import Mapping, Sequence

from falsereject_gen.models.desk import Models
from falsereject_gen.records import Seed
from falsereject_gen.roles.protocols import Discriminator, Target
from falsereject_gen.roles.refusal import RefusalRules
from falsereject_gen.roles.spoken.agent import Agent
from falsereject_gen.roles.spoken.judges import (
    Panel,
    RefusalJudge,
    Sieve,
    SpokenDiscriminator,
    SpokenOrchestrator,
    SpokenTarget,
)
from falsereject_gen.roles.spoken.writers import SpokenExtractor, SpokenGenerator
from falsereject_gen.rooms import Rooms
from falsereject_gen.settings import Role, RunSettings
from falsereject_gen.taxonomy import Taxonomy

__all__ = ["Troupe"]


class Troupe:
    """One factory method a role; each takes the names of the endpoints that play it.

    Args:
        settings: who else plays, e.g. the extractor of the generator.
        rooms: cards, prompts, strategies, refusal rules.
        taxonomy: categories.
        models: endpoints.
        seeds: by id.
    """

    def __init__(
        self,
        settings: RunSettings,
        rooms: Rooms,
        taxonomy: Taxonomy,
        models: Models,
        seeds: Mapping[str, Seed],
    ) -> None:
        self._settings, self._rooms, self._models = settings, rooms, models
        self._taxonomy, self._seeds = taxonomy, seeds
        self._rules = RefusalRules(rooms)
        self._strategies = {s["id"]: s for s in rooms.yaml("graphs/strategies.yaml")}

    def generator(self, names: Sequence[str]) -> SpokenGenerator:
        """A generator whose endpoints take turns."""
        agent = self._agent("generator", names)
        return SpokenGenerator(
            agent, self._taxonomy, self._strategies, self._extractor(), self._seeds, self._rules
        )

    def discriminator(self, names: Sequence[str]) -> SpokenDiscriminator:
        """A discriminator."""
        return SpokenDiscriminator(self._agent("discriminator", names))

    def panel(self, names: Sequence[str]) -> Panel:
        """A moderation panel with one member an endpoint."""
        return Panel([self._agent("panel", (name,)) for name in names])

    def sieve(self, stages: Sequence[Discriminator], harm_max: float) -> Sieve:
        """Discriminators one after the other."""
        return Sieve(stages, harm_max, self._settings.loop.toxic_min)

    def targets(self, name: str) -> list[Target]:
        """The targets of one endpoint: one for each card of `spoken_pool`."""
        judge = RefusalJudge(self._rules, self._judge())
        return [
            SpokenTarget(f"{name}/{card}", self._agent(f"target-{card}", (name,)), judge)
            for card in self._settings.spoken_pool
        ]

    def orchestrator(self, names: Sequence[str]) -> SpokenOrchestrator:
        """An orchestrator."""
        return SpokenOrchestrator(
            self._agent("orchestrator", names), self._taxonomy, self._strategies
        )

    def _extractor(self) -> SpokenExtractor | None:
        names, ahead = self._players("extractor"), self._settings.extractor == "spoken"
        if ahead or not names or self._settings.sampling.graph != "seed":
            return None  # briefs are drawn from spoken graphs, or there is no one seed
        rankers = self._players("ranker")
        ranker = self._agent("ranker", rankers) if rankers else None
        return SpokenExtractor(self._agent("extractor", names), ranker)

    def _judge(self) -> Agent | None:
        names = self._players("judge")
        return self._agent("judge", names) if names else None

    def _players(self, role: Role) -> tuple[str, ...]:
        default: tuple[str, ...] = ("default",) if self._settings.cast == "spoken" else ()
        given = self._settings.roles.get(role, default)
        return tuple(name for name in given if name != "embedded")

    def _agent(self, card: str, names: Sequence[str]) -> Agent:
        return Agent(card, names, self._models, self._rooms)
