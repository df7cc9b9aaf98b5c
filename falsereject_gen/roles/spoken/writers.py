"""The spoken generator and extractor."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Literal

from falsereject_gen.errors import ReplyError
from falsereject_gen.records import (
    NOBODY,
    Brief,
    Draft,
    Round,
    Seed,
    SeedGraph,
)
from falsereject_gen.roles.refusal import RefusalRules
from falsereject_gen.roles.spoken.agent import Agent, RefusedError
from falsereject_gen.roles.spoken.replies import (
    ExtractorReply,
    GeneratorReply,
    RankerReply,
)
from falsereject_gen.roles.spoken.votes import most_shared, to_graph
from falsereject_gen.seeds.language import language_of, name_of
from falsereject_gen.taxonomy import Taxonomy

__all__ = ["SpokenExtractor", "SpokenGenerator"]


class SpokenExtractor:
    """Extracts a seed's graph by a vote: several extractions, one chosen (FalseReject).

    Each seed is extracted once, when it is first asked for.

    Args:
        extractor: makes one extraction.
        ranker: chooses among them; None: the one that shares most with the others.
    """

    def __init__(self, extractor: Agent, ranker: Agent | None) -> None:
        self._extractor, self._ranker = extractor, ranker
        self._graphs: dict[str, asyncio.Task[SeedGraph]] = {}

    async def graph(self, seed: Seed) -> SeedGraph:
        """The graph of a seed.

        Raises:
            ReplyError: no extraction could be used.
        """
        if seed.id not in self._graphs:
            self._graphs[seed.id] = asyncio.ensure_future(self._extract(seed))
            self._graphs[seed.id].add_done_callback(_heard)
        return await asyncio.shield(self._graphs[seed.id])

    async def _extract(self, seed: Seed) -> SeedGraph:
        number = int(seed.id.split("-")[1], 16) % 2**31
        votes = self._extractor.card.votes
        asked = [
            self._extractor.ask(ExtractorReply, number + vote, text=seed.text)
            for vote in range(votes)
        ]
        found = await asyncio.gather(*asked, return_exceptions=True)
        usable = [reply for reply in found if isinstance(reply, ExtractorReply)]
        for fault in found:
            if isinstance(fault, BaseException) and not isinstance(fault, ReplyError):
                raise fault
        if not usable:
            raise ReplyError(f"seed {seed.id}: none of {votes} extractions could be used")
        best, by = await self._best(seed, usable, number)
        return to_graph(seed, best, found=usable, asked=votes, by=by)

    async def _best(
        self, seed: Seed, found: Sequence[ExtractorReply], number: int
    ) -> tuple[ExtractorReply, Literal["alone", "ranker", "overlap"]]:
        """The extraction to keep; a ranker whose choice cannot be used leaves it to overlap."""
        if len(found) == 1:
            return found[0], "alone"
        if self._ranker is not None:
            try:
                said = await self._ranker.ask(
                    RankerReply, number, text=seed.text, graphs=list(found)
                )
                if said.best <= len(found):
                    return found[said.best - 1], "ranker"
            except ReplyError:
                pass  # the graph says who chose
        return most_shared(found), "overlap"


def _heard(task: "asyncio.Task[SeedGraph]") -> None:
    """Whoever waited may have been cancelled: asyncio complains of faults that nobody hears."""
    if not task.cancelled():
        task.exception()


class SpokenGenerator:
    """Writes with a model, from the seed's graph and the history of rounds; never sees the seed.

    Args:
        agent: the brief's own number picks one of its endpoints, and the row names it.
        taxonomy: categories.
        strategies: id to {name, says}.
        extractor: spoken graphs; None: the entities that the planner drew.
        seeds: by id, for the extractor.
        rules: recognise a refusal in words.
    """

    def __init__(
        self,
        agent: Agent,
        taxonomy: Taxonomy,
        strategies: Mapping[str, Mapping[str, str]],
        extractor: SpokenExtractor | None,
        seeds: Mapping[str, Seed],
        rules: RefusalRules,
    ) -> None:
        self._agent, self._taxonomy, self._strategies = agent, taxonomy, strategies
        self._extractor, self._seeds, self._rules = extractor, seeds, rules

    async def write(self, brief: Brief, rounds: Sequence[Round]) -> Draft:
        """A draft; `refused` when the model declined."""
        entities, relations = brief.entities, brief.relations
        if self._extractor is not None:
            graph = await self._extractor.graph(self._seeds[brief.seed_ids[0]])
            entities, relations = graph.entities or entities, graph.relations
        by = self._agent.endpoint(brief.rng)
        try:
            reply = await self._agent.ask(
                GeneratorReply,
                brief.rng,
                attempt=len(rounds),
                category=self._taxonomy[brief.category],
                strategy=self._strategies[brief.strategy],
                language=name_of(brief.language),
                entities=entities,
                relations=relations,
                rounds=[shown(turn) for turn in rounds],
            )
        except RefusedError as fault:
            return Draft(by=by, refused=True, notes={"raw": fault.raw})
        except ReplyError as fault:
            if self._declines(fault.raw):
                return Draft(by=by, refused=True, notes={"raw": fault.raw})
            raise
        text = " ".join(reply.prompt.split())
        if self._declines(text):
            return Draft(by=by, refused=True, notes={"raw": text})
        named = tuple(e.id for e in entities if e.surface.lower() in text.lower())
        return Draft(
            text=text,
            by=by,
            notes={"answer": reply.reading},
            entities=named,
            language=language_of(text),
        )

    def _declines(self, text: str) -> bool:
        """Whether it refuses in words; a question is what was asked for, whatever it says."""
        asks = text.rstrip(" \"'`*)").endswith("?")
        return not asks and self._rules.decide(text).outcome == "direct_refusal"


def shown(turn: Round) -> Round:
    """A round as the generator may see it: what was said of the text, and no failed call."""
    verdict, ruling = turn.verdict, turn.ruling
    if verdict is not None and not verdict.feedback:
        reasons = "; ".join(reason.rstrip(". ") for reason in verdict.reasons)
        verdict = verdict.model_copy(update={"feedback": reasons})
    if ruling.by == NOBODY:
        ruling = ruling.model_copy(update={"reason": "no usable reply came; nothing was judged"})
    answered = tuple(probe for probe in turn.probes if probe.outcome != "error")
    return turn.model_copy(update={"verdict": verdict, "ruling": ruling, "probes": answered})
