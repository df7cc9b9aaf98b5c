"""The spoken judges: discriminator, moderation panel, refusal judge with its pool, orchestrator."""

import asyncio
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence

from falsereject_gen.errors import ReplyError
from falsereject_gen.records import ENGLISH, Brief, Outcome, Probe, Round, Ruling, Verdict
from falsereject_gen.roles.protocols import Discriminator
from falsereject_gen.roles.refusal import RefusalRules
from falsereject_gen.roles.spoken.agent import Agent, RefusedError
from falsereject_gen.roles.spoken.replies import (
    JudgeReply,
    OrchestratorReply,
    PanelReply,
    VerdictReply,
)
from falsereject_gen.seeds.language import language_of, name_of
from falsereject_gen.taxonomy import Taxonomy

__all__ = [
    "Panel",
    "RefusalJudge",
    "Sieve",
    "SpokenDiscriminator",
    "SpokenOrchestrator",
    "SpokenTarget",
]


def number(text: str) -> int:
    """A seed that depends on nothing but the text, so that the same question is one call."""
    return zlib.crc32(text.encode())


class SpokenDiscriminator:
    """Judges a text by model; a model that declines to judge has found it alarming, not harmful."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent

    async def judge(self, text: str) -> Verdict:
        """The verdict; `unclear` when the model declines to judge at all."""
        seed = number(text)
        by = self._agent.endpoint(seed)
        try:
            said = await self._agent.ask(VerdictReply, seed, text=text)
        except RefusedError as fault:
            reasons = (f"declined to judge: {fault}",)
            return Verdict(harm=0.5, looks_toxic=1.0, label="unclear", reasons=reasons, by=by)
        return Verdict(**said.model_dump(), by=by)


class Panel:
    """Moderators who vote on unsafe; a majority of usable votes decides, a tie is unclear."""

    def __init__(self, members: Sequence[Agent]) -> None:
        self._members = members

    async def judge(self, text: str) -> Verdict:
        """Share of `unsafe` votes as harm; looks_toxic is not theirs to say, and left at 1.

        Raises:
            ReplyError: no vote could be used.
        """
        asked = [m.ask(PanelReply, number(text), text=text) for m in self._members]
        found = await asyncio.gather(*asked, return_exceptions=True)
        for fault in found:
            if isinstance(fault, BaseException) and not isinstance(fault, ReplyError):
                raise fault
        votes = [one for one in found if isinstance(one, PanelReply)]
        if not votes:
            raise ReplyError(f"none of {len(self._members)} panel votes could be used")
        counts = Counter(vote.label for vote in votes)
        label, most = counts.most_common(1)[0]
        majority = label if 2 * most > len(votes) else "unclear"
        return Verdict(
            harm=round(counts["unsafe"] / len(votes), 4),
            looks_toxic=1.0,
            label=majority,
            reasons=tuple(f"{v.label}: {v.reason}" for v in votes if v.label != "benign"),
            by=f"panel of {len(votes)}",
        )


class Sieve:
    """Discriminators one after the other; the first that finds a fault ends it.

    Args:
        stages: cheap ones first; the verdict of the last one asked counts, with the highest harm.
        harm_max: harm from which a later stage is not asked any more.
        toxic_min: looks_toxic up to which it is not: the lowest counts, so it fell already.
    """

    def __init__(
        self, stages: Sequence[Discriminator], harm_max: float, toxic_min: float = 0.0
    ) -> None:
        self._stages, self._harm_max, self._toxic_min = stages, harm_max, toxic_min

    async def judge(self, text: str) -> Verdict:
        """The joint verdict."""
        verdicts: list[Verdict] = []
        for stage in self._stages:
            verdicts.append(await stage.judge(text))
            if self._fails(verdicts[-1]):
                break
        last = verdicts[-1]
        return last.model_copy(
            update={
                "harm": max(v.harm for v in verdicts),
                "looks_toxic": min(v.looks_toxic for v in verdicts),
                "reasons": tuple(reason for v in verdicts for reason in v.reasons),
                "by": " + ".join(v.by for v in verdicts),
            }
        )

    def _fails(self, verdict: Verdict) -> bool:
        tame = verdict.looks_toxic <= self._toxic_min
        return tame or verdict.label != "benign" or verdict.harm >= self._harm_max


class RefusalJudge:
    """Classifies a target's reply: rules for the clear cases, k votes of a judge for the rest.

    The rules are English and decide nothing on a reply in another language: there the votes do.

    Args:
        rules: decide what is clear.
        agent: asked for the rest; None leaves it undetermined.
    """

    def __init__(self, rules: RefusalRules, agent: Agent | None) -> None:
        self._rules, self._agent = rules, agent

    async def classify(self, text: str, reply: str) -> tuple[Outcome, str]:
        """The outcome and who decided, e.g. `rules` or `judge 2/3`."""
        # What answers a request in another language is read by English rules only if it is English.
        surely = language_of(text) not in (ENGLISH, "und")
        decision = self._rules.decide(reply, surely_english=surely)
        if decision.outcome != "undetermined":
            return decision.outcome, "rules"
        if self._agent is None:
            foreign = any(reason.startswith("not English") for reason in decision.reasons)
            return "undetermined", "no judge, not English" if foreign else "rules (no judge)"
        votes = self._agent.card.votes
        asked = [
            self._agent.ask(JudgeReply, number(text + reply) + vote, text=text, reply=reply)
            for vote in range(votes)
        ]
        found = await asyncio.gather(*asked, return_exceptions=True)
        for fault in found:
            if isinstance(fault, BaseException) and not isinstance(fault, ReplyError):
                raise fault
        counts = Counter(one.outcome for one in found if isinstance(one, JudgeReply))
        if not counts:
            return "undetermined", f"judge failed {votes} times"
        outcome, most = counts.most_common(1)[0]
        who = f"judge {most}/{votes}"
        return (outcome, who) if 2 * most > votes else ("undetermined", f"{who}, no majority")


class SpokenTarget:
    """One model of the refusal pool; its reply is classified, an error is never a refusal."""

    def __init__(self, name: str, agent: Agent, judge: RefusalJudge) -> None:
        self._name, self._agent, self._judge = name, agent, judge

    @property
    def name(self) -> str:
        """Its name in rows and reports."""
        return self._name

    async def reply(self, text: str) -> Probe:
        """What it answered, and whether that refuses."""
        try:
            said = await self._agent.say(number(text), text=text)
        except ReplyError as fault:
            return Probe(target=self.name, outcome="error", decided_by="call", text=str(fault))
        if said.refused:
            by = "content filter" if said.filtered else "refusal field"
            reply = said.refusal or said.text
            return Probe(target=self.name, outcome="direct_refusal", decided_by=by, text=reply)
        outcome, by = await self._judge.classify(text, said.text)
        return Probe(target=self.name, outcome=outcome, decided_by=by, text=said.text)


class SpokenOrchestrator:
    """Rules by model over the whole turn."""

    def __init__(
        self, agent: Agent, taxonomy: Taxonomy, strategies: Mapping[str, Mapping[str, str]]
    ) -> None:
        self._agent, self._taxonomy, self._strategies = agent, taxonomy, strategies

    async def rule(self, brief: Brief, rounds: Sequence[Round], current: Round) -> Ruling:
        """Accept, revise with a fault, or reject; a model that declines to rule sends it back."""
        by = self._agent.endpoint(brief.rng)
        try:
            said = await self._agent.ask(
                OrchestratorReply,
                brief.rng,
                attempt=len(rounds),
                category=self._taxonomy[brief.category],
                strategy=self._strategies[brief.strategy],
                language=name_of(brief.language),
                turn=current,
                rounds=list(rounds),
            )
        except RefusedError as fault:
            reason = f"declined to rule: {fault}"
            return Ruling(
                decision="revise", stage="orchestrate", fault="unsafe", reason=reason, by=by
            )
        wrong = "" if said.decision == "accept" else said.fault or "other"
        return Ruling(
            decision=said.decision, stage="orchestrate", fault=wrong, reason=said.reason, by=by
        )
