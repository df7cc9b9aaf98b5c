"""The embedded refusal pool: three guards of the kinds that people really deploy.

A word list, a nearest-toxic-neighbour check and a classifier at a strict threshold. They refuse or
pass; what they say is no answer, so a pass counts as compliance of a filter, not of a model.
"""

from falsereject_gen.dedup.encoder import Encoder
from falsereject_gen.dedup.index import TextIndex
from falsereject_gen.records import Probe
from falsereject_gen.roles.embedded.discriminator import LinearDiscriminator
from falsereject_gen.roles.embedded.triggers import Triggers

__all__ = ["LexicalGuard", "NeighbourGuard", "StrictGuard"]


class LexicalGuard:
    """Refuses when the summed weight of trigger terms reaches a threshold."""

    name = "lexical-guard"

    def __init__(self, triggers: Triggers, at_least: float) -> None:
        self._triggers, self._at_least = triggers, at_least

    async def reply(self, text: str) -> Probe:
        """Refused with the terms that did it."""
        found = self._triggers.found(text)
        heat = self._triggers.heat(text)
        return _probe(self.name, heat >= self._at_least, f"heat {heat:.1f}: {', '.join(found)}")


class NeighbourGuard:
    """Refuses what lies near a toxic seed in embedding space."""

    name = "neighbour-guard"

    def __init__(self, seeds: TextIndex, encoder: Encoder, at_least: float) -> None:
        self._seeds, self._encoder, self._at_least = seeds, encoder, at_least

    async def reply(self, text: str) -> Probe:
        """Refused with the id of the seed and the cosine."""
        near = self._seeds.nearest(self._encoder.one(text))
        if near is None:
            return _probe(self.name, False, "no seeds")
        return _probe(self.name, near.score >= self._at_least, f"cosine {near.score} to {near.id}")


class StrictGuard:
    """Refuses at a harm that the discriminator itself would let pass."""

    name = "strict-guard"

    def __init__(self, discriminator: LinearDiscriminator, harm: float) -> None:
        self._discriminator, self._harm = discriminator, harm

    async def reply(self, text: str) -> Probe:
        """Refused with the harm."""
        verdict = await self._discriminator.judge(text)
        refuses = verdict.harm >= self._harm
        return _probe(self.name, refuses, f"harm {verdict.harm:.2f} against {self._harm}")


def _probe(target: str, refuses: bool, why: str) -> Probe:
    outcome = "direct_refusal" if refuses else "full_compliance"
    return Probe(target=target, outcome=outcome, decided_by=why)  # type: ignore[arg-type]
