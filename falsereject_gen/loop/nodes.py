"""The nodes: factories over roles, each returning one async callable. No langgraph in here.

A node that finds a fault sets `ruling`; the routes send a ruled round to `close`. Why a round
failed decides what the generator is told (see `Ruling.fault`).
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Any, Protocol

from falsereject_gen.errors import ReplyError
from falsereject_gen.loop.state import LoopState, current_round
from falsereject_gen.records import ENGLISH, NOBODY, Draft, Probe, Ruling, Stage, Verdict
from falsereject_gen.roles.protocols import (
    Discriminator,
    Duplicates,
    Generator,
    Orchestrator,
    Target,
)
from falsereject_gen.seeds.language import name_of
from falsereject_gen.settings import LoopSettings

__all__ = ["Node", "close", "deduplicate", "discriminate", "generate", "orchestrate", "probe"]


class Node(Protocol):
    """One step of the loop: reads the state, returns the keys that it writes."""

    async def __call__(self, state: LoopState) -> dict[str, Any]:
        """The keys that this step changes."""


def generate(generator: Generator) -> Node:
    """Reads brief, rounds; writes draft and clears the turn; rules when there is no draft."""

    async def node(state: LoopState) -> dict[str, Any]:
        try:
            draft = await generator.write(state["brief"], state["rounds"])
        except ReplyError as fault:
            draft = Draft(by=NOBODY, notes={"raw": fault.raw})
            return _turn(draft, _unusable("generate", fault))
        ruling = None
        if draft.exhausted:
            reason = "nothing (else) can be said to this brief"
            ruling = Ruling(decision="reject", stage="generate", fault="other", reason=reason)
        elif draft.refused:
            reason = "the generator declined"
            ruling = Ruling(decision="revise", stage="generate", fault="other", reason=reason)
        elif draft.language not in ("", "und", state["brief"].language):
            reason = f"written in {name_of(draft.language)}, not {name_of(state['brief'].language)}"
            ruling = Ruling(decision="revise", stage="generate", fault="language", reason=reason)
        return _turn(draft, ruling)

    return node


def discriminate(discriminator: Discriminator, limits: LoopSettings) -> Node:
    """Reads draft; writes verdict, and a ruling when it is unsafe, unclear or too tame."""

    async def node(state: LoopState) -> dict[str, Any]:
        try:
            verdict = await discriminator.judge(_text(state))
        except ReplyError as fault:
            return {"ruling": _unusable("discriminate", fault)}
        return {"verdict": verdict, "ruling": _gate_verdict(verdict, limits)}

    return node


def probe(pool: Sequence[Target], limits: LoopSettings) -> Node:
    """Reads draft; writes probes, and a ruling when too few refuse or too few answer."""

    async def node(state: LoopState) -> dict[str, Any]:
        text = _text(state)
        probes = tuple(await asyncio.gather(*(target.reply(text) for target in pool)))
        return {"probes": probes, "ruling": _gate_probes(probes, limits)}

    return node


def orchestrate(orchestrator: Orchestrator) -> Node:
    """Reads brief, rounds and the turn; writes the orchestrator's ruling."""

    async def node(state: LoopState) -> dict[str, Any]:
        pending = Ruling(decision="accept", stage="orchestrate", reason="passed every gate")
        turn = current_round(state, pending)
        try:
            return {"ruling": await orchestrator.rule(state["brief"], state["rounds"], turn)}
        except ReplyError as fault:
            return {"ruling": _unusable("orchestrate", fault)}

    return node


def deduplicate(duplicates: Duplicates) -> Node:
    """Reads draft; writes nearest, and a ruling when it is too near."""

    async def node(state: LoopState) -> dict[str, Any]:
        brief = state["brief"]
        nearest, too_near = await duplicates.nearest(brief.ordinal, _text(state), brief.language)
        if not too_near or nearest is None:
            return {"nearest": nearest}
        how = f"cosine {nearest.score}" if brief.language == ENGLISH else "equal text"
        reason = f"near-duplicate of {nearest.id} ({nearest.among}, {how})"
        ruling = Ruling(decision="revise", stage="dedup", fault="duplicate", reason=reason)
        return {"nearest": nearest, "ruling": ruling}

    return node


def close() -> Node:
    """Reads the turn; appends it to rounds."""

    async def node(state: LoopState) -> dict[str, Any]:
        ruling = state["ruling"]
        if ruling is None:
            raise RuntimeError("a round is closed without a ruling")
        return {"rounds": (*state["rounds"], current_round(state, ruling))}

    return node


def _turn(draft: Draft, ruling: Ruling | None) -> dict[str, Any]:
    return {"draft": draft, "verdict": None, "probes": (), "nearest": None, "ruling": ruling}


def _unusable(stage: Stage, fault: ReplyError) -> Ruling:
    """A role gave no usable reply: the turn fails, with the raw text kept."""
    raw = f"; raw reply: {fault.raw}" if fault.raw else ""
    reason = f"{fault}{raw}"
    return Ruling(decision="revise", stage=stage, fault="other", reason=reason, by=NOBODY)


def _text(state: LoopState) -> str:
    draft = state["draft"]
    if draft is None:
        raise RuntimeError("a draft is judged before it was written")
    return draft.text


def _gate_verdict(verdict: Verdict, limits: LoopSettings) -> Ruling | None:
    if verdict.label != "benign" or verdict.harm >= limits.harm_max:
        said = f"{verdict.label}, harm {verdict.harm:.2f} (limit {limits.harm_max})"
        return Ruling(decision="revise", stage="discriminate", fault="unsafe", reason=said)
    if verdict.looks_toxic <= limits.toxic_min:
        said = f"too tame: looks_toxic {verdict.looks_toxic:.2f} (wanted above {limits.toxic_min})"
        return Ruling(decision="revise", stage="discriminate", fault="tame", reason=said)
    return None


def _gate_probes(probes: Sequence[Probe], limits: LoopSettings) -> Ruling | None:
    counts = Counter(p.outcome for p in probes)
    refused = counts["direct_refusal"]
    answered = counts["full_compliance"] + counts["safe_partial"]
    if refused < limits.min_refusals:
        who = ", ".join(p.target for p in probes if p.outcome != "direct_refusal")
        said = f"{refused} of {len(probes)} refused (wanted {limits.min_refusals}); not: {who}"
        return Ruling(decision="revise", stage="probe", fault="not_refused", reason=said)
    if answered < limits.min_compliances:
        said = f"{answered} of {len(probes)} answered (wanted {limits.min_compliances})"
        return Ruling(decision="revise", stage="probe", fault="not_answered", reason=said)
    return None
