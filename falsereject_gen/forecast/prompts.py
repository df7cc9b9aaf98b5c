"""How long the prompts of a run are: a few real ones, rendered from a few real briefs.

Seeds, entities and briefs are those that the run would use; texts that are judged are benign sides
of our contrast pairs, which have the length of what a generator writes.
"""

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any, get_args

from falsereject_gen.dedup.encoder import MiniLM
from falsereject_gen.entities.extract import EmbeddedExtractor
from falsereject_gen.entities.lexicon import load_lexicon
from falsereject_gen.entities.sample import Planner
from falsereject_gen.models.wire import CHARS_A_TOKEN
from falsereject_gen.records import Brief, Draft, Probe, Round, Ruling, Seed, Strategy, Verdict
from falsereject_gen.roles.cast import languages
from falsereject_gen.roles.spoken.card import AgentCard, Prompts
from falsereject_gen.roles.spoken.replies import ExtractorReply
from falsereject_gen.rooms import Rooms
from falsereject_gen.seeds.bundled import bundled_seeds, seed_files
from falsereject_gen.seeds.collect import collect_seeds
from falsereject_gen.seeds.language import name_of
from falsereject_gen.settings import RunSettings
from falsereject_gen.taxonomy import UNCATEGORISED, load_taxonomy

__all__ = ["Sample", "take_sample"]

BRIEFS = 6
"""Briefs whose prompts are rendered."""
_REPLY = "It depends on what you mean, and here is what people usually do about it. "
_SAID = "The first impression should be harsher while the ordinary reading stays as plain as it is."


class Sample:
    """A few briefs of a run, and the prompts that each card would open with for them.

    Args:
        rooms: cards and prompts.
        taxonomy: categories by id.
        briefs: drawn as the run would draw them.
        seeds: by id.
        texts: of the length that a generator writes.
        of: usable seeds that the run has.
    """

    def __init__(
        self,
        rooms: Rooms,
        taxonomy: Any,
        briefs: Sequence[Brief],
        seeds: Mapping[str, Seed],
        texts: Sequence[str],
        of: int,
    ) -> None:
        self.briefs, self.of = tuple(briefs), of
        self._rooms, self._taxonomy, self._seeds, self._texts = rooms, taxonomy, seeds, texts
        self._prompts = Prompts(rooms)
        self._strategies = {s["id"]: s for s in rooms.yaml("graphs/strategies.yaml")}

    def tokens(self, card: AgentCard, *, reply: float = 0, later: bool = False) -> float:
        """Mean length of a card's prompt, in tokens of four characters.

        Args:
            card: who is asked.
            reply: tokens of the reply that is judged.
            later: a round after the first, with the history that it shows.
        """
        lengths = [
            sum(len(m.content) for m in self._prompts.messages(card, **variables))
            for variables in self._variables(card, int(reply * CHARS_A_TOKEN), later)
        ]
        return fmean(lengths) / CHARS_A_TOKEN

    def _variables(self, card: AgentCard, reply: int, later: bool) -> list[dict[str, Any]]:
        out = []
        for brief, text in zip(self.briefs, self._texts, strict=False):
            graph = ExtractorReply.model_validate(
                {
                    "entities": [{"name": e.surface, "kind": e.kind} for e in brief.entities],
                    "relations": [r.model_dump(exclude={"seed_id"}) for r in brief.relations],
                }
            )
            known = {
                "text": self._seeds[brief.seed_ids[0]].text if card.role == "extractor" else text,
                "graphs": [graph] * 3,
                "category": self._taxonomy[brief.category],
                "strategy": self._strategies[brief.strategy],
                "language": name_of(brief.language),
                "entities": brief.entities,
                "relations": brief.relations,
                "rounds": [_round(text)] if later else [],
                "turn": _round(text),
                "reply": (_REPLY * (reply // len(_REPLY) + 1))[:reply],
            }
            out.append({name: known[name] for name in card.variables})
        return out


def take_sample(settings: RunSettings, rooms: Rooms) -> Sample:
    """Read the seeds and draw a few briefs; only the few are taken apart.

    Raises:
        InputError: seeds or taxonomy cannot be used.
    """
    taxonomy, crosswalks = load_taxonomy(rooms, settings.taxonomy)
    encoder = MiniLM()
    found: Sequence[Seed] = bundled_seeds(rooms)
    if settings.seeds:
        found = collect_seeds(settings.seeds, rooms, taxonomy, crosswalks, encoder).seeds
    served = languages(settings)
    usable = [s for s in found if s.category != UNCATEGORISED and s.language in served]
    few = usable[:: max(1, len(usable) // (2 * BRIEFS))]
    offline = "embedded" if settings.extractor == "spoken" else settings.extractor
    graphs = EmbeddedExtractor(load_lexicon(rooms), encoder, offline).extract(few)
    planner = Planner(
        few,
        graphs,
        get_args(Strategy),
        settings.sampling,
        patience=settings.loop.patience,
        lookahead=BRIEFS,
        rng=settings.seed,
    )
    briefs = [brief for place in range(BRIEFS) if (brief := planner.brief(place)) is not None]
    texts = [pair.benign for part in seed_files(rooms) for pair in part.pairs]
    return Sample(
        rooms,
        taxonomy,
        briefs,
        {s.id: s for s in few},
        texts[:: max(1, len(texts) // BRIEFS)],
        len(usable),
    )


def _round(text: str) -> Round:
    """A round as the history shows it."""
    probes = [
        Probe(target=f"target {n}", outcome="full_compliance", decided_by="rules", text=_REPLY * 2)
        for n in range(3)
    ]
    return Round(
        draft=Draft(text=text, by="default", notes={"answer": _SAID}),
        verdict=Verdict(
            harm=0.2, looks_toxic=0.4, label="benign", reasons=(_SAID,), feedback=_SAID
        ),
        probes=tuple(probes),
        ruling=Ruling(decision="revise", stage="probe", fault="not_refused", reason=_SAID),
    )
