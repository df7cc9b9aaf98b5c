"""The estimate of `run --dry-run`: calls, tokens and cost by role and model, against the budget.

No call is made and no folder is written.
"""

import json
from collections.abc import Mapping
from math import prod
from typing import Any

from pydantic import Field

from falsereject_gen.forecast.calls import SHARES, UNDECIDED, Drafts, calls, drafts
from falsereject_gen.forecast.prompts import Sample, take_sample
from falsereject_gen.models.config import Target
from falsereject_gen.models.structured import strict_schema
from falsereject_gen.models.wire import CHARS_A_TOKEN
from falsereject_gen.records import Record
from falsereject_gen.roles.cast import speakers
from falsereject_gen.roles.spoken.card import AgentCard, load_card
from falsereject_gen.roles.spoken.replies import REPLIES
from falsereject_gen.rooms import Rooms
from falsereject_gen.run.endpoints import one_family, targets
from falsereject_gen.settings import RunSettings

__all__ = ["Estimate", "Line", "estimate"]

_NO_LIMIT = 1000
"""Tokens of a reply where neither card nor endpoint sets a limit."""


class Line(Record):
    """One role on one model."""

    role: str
    model: str
    endpoint: str
    calls: int
    tokens_in: int
    tokens_out: int
    cost: float | None = Field(description="None where no price is set.")


class Estimate(Record):
    """What a run would ask and cost; empty lines when the embedded cast plays alone."""

    rows: int = Field(description="Rows that are still to be made.")
    lines: tuple[Line, ...] = ()
    calls: int = 0
    tokens: int = 0
    cost: float = Field(default=0.0, description="Of the lines that have a price.")
    unpriced: tuple[str, ...] = Field(default=(), description="Endpoints without a price.")
    assumptions: tuple[str, ...] = ()
    budget: tuple[str, ...] = Field(default=(), description="One line a limit that is set.")
    warnings: tuple[str, ...] = ()


def estimate(
    settings: RunSettings, rooms: Rooms, done: int = 0, answered: Mapping[str, int] | None = None
) -> Estimate:
    """Work out what a run would take.

    Args:
        settings: of the run.
        rooms: cards, prompts, seeds.
        done: rows that are there already (a run that goes on).
        answered: calls by role that its store answers already.

    Raises:
        UsageError: an endpoint that a role needs is not in the settings.
        InputError: the seeds cannot be used.
    """
    rows = max(0, settings.target - done)
    if not speakers(settings):
        return Estimate(rows=rows)
    where = targets(settings, rooms)
    cards = {name: load_card(rooms, name) for name in _cards(settings)}
    sample = take_sample(settings, rooms)
    work = drafts(rows, settings.loop.rounds)
    votes = {name: card.votes for name, card in cards.items()}
    asked = calls(settings, work, sample.of, votes, answered)
    pool = [_reply_tokens(cards[f"target-{name}"], {}) for name in settings.spoken_pool]
    judged = max(pool, default=0.0)
    lines = tuple(
        _line(cards[card], name, where[name], count, (sample, work, judged))
        for (card, name), count in sorted(asked.items())
    )
    lines = _by_role(lines)
    tokens = sum(line.tokens_in + line.tokens_out for line in lines)
    cost = sum(line.cost or 0.0 for line in lines)
    whole = Estimate(
        rows=rows,
        lines=lines,
        calls=sum(line.calls for line in lines),
        tokens=tokens,
        cost=round(cost, 6),
        unpriced=tuple(sorted({line.endpoint for line in lines if line.cost is None})),
        assumptions=_assumptions(settings, work, sample),
        warnings=tuple(one_family(settings, rooms)),
    )
    return whole.model_copy(update={"budget": _budget(settings, whole)})


def _cards(settings: RunSettings) -> list[str]:
    names = ["extractor", "ranker", "generator", "discriminator", "panel", "judge", "orchestrator"]
    return names + [f"target-{name}" for name in settings.spoken_pool]


def _line(
    card: AgentCard, name: str, where: Target, count: float, given: tuple[Sample, Drafts, float]
) -> Line:
    """Tokens and cost of a card's calls to one endpoint."""
    sample, work, judged = given
    reply = _reply_tokens(card, where.settings.sampling)
    length = sample.tokens(card, reply=judged)
    if "rounds" in card.variables:
        first = work.briefs / work.drafts if work.drafts else 1.0
        later = sample.tokens(card, later=True)
        length = first * length + (1 - first) * later
    if card.reply is not None:
        length += len(json.dumps(strict_schema(REPLIES[card.reply]))) / CHARS_A_TOKEN
    tokens_in, tokens_out = count * length, count * reply
    prices = where.prices
    cost = (tokens_in * prices[0] + tokens_out * prices[1]) / 1e6 if prices else None
    return Line(
        role=card.role,
        model=where.model,
        endpoint=name,
        calls=round(count),
        tokens_in=round(tokens_in),
        tokens_out=round(tokens_out),
        cost=None if cost is None else round(cost, 6),
    )


def _reply_tokens(card: AgentCard, extra: Mapping[str, Any]) -> float:
    """Half of what a reply may have; the endpoint's limit wins over the card's."""
    sampling = {**card.sampling, **extra}
    given = sampling.get("max_completion_tokens") or sampling.get("max_tokens") or _NO_LIMIT
    return float(given) / 2


def _by_role(lines: tuple[Line, ...]) -> tuple[Line, ...]:
    """Cards of one role on one endpoint (the targets) as one line."""
    joined: dict[tuple[str, str], Line] = {}
    for line in lines:
        key = (line.role, line.endpoint)
        if key not in joined:
            joined[key] = line
            continue
        old = joined[key]
        sums = {k: getattr(old, k) + getattr(line, k) for k in ("calls", "tokens_in", "tokens_out")}
        cost = None if old.cost is None or line.cost is None else round(old.cost + line.cost, 6)
        joined[key] = old.model_copy(update={**sums, "cost": cost})
    return tuple(joined.values())


def _assumptions(settings: RunSettings, work: Drafts, sample: Sample) -> tuple[str, ...]:
    passes = ", ".join(f"{name} {share:.0%}" for name, share in SHARES.items())
    seeds = f"all {sample.of:,} usable seeds are extracted before the first brief"
    ahead = (seeds,) if settings.extractor == "spoken" else ()
    return (
        *ahead,
        f"each gate lets this share of drafts pass: {passes}; together {prod(SHARES.values()):.0%},"
        f" so {work.drafts:,.0f} drafts to {work.briefs:,.0f} briefs",
        f"rules decide {1 - UNDECIDED:.0%} of the target replies, the judge votes on the rest",
        f"prompts have the mean length of those to {len(sample.briefs)} of the run's briefs, "
        f"{CHARS_A_TOKEN} characters a token; replies have half of max_tokens",
        "no reply has to be asked again; tries that fail cost nothing",
    )


def _extraction(settings: RunSettings, whole: Estimate) -> Estimate:
    """The part that is spent before the first row."""
    ahead = settings.extractor == "spoken"
    lines = [x for x in whole.lines if ahead and x.role in ("extractor", "ranker")]
    return Estimate(
        rows=0,
        calls=sum(line.calls for line in lines),
        tokens=sum(line.tokens_in + line.tokens_out for line in lines),
        cost=sum(line.cost or 0.0 for line in lines),
    )


def _budget(settings: RunSettings, whole: Estimate) -> tuple[str, ...]:
    """Whether each limit lasts, and for how many rows if it does not."""
    limits, first = settings.budget, _extraction(settings, whole)
    out = []
    for name, limit, used, fixed in (
        ("calls", limits.calls, float(whole.calls), float(first.calls)),
        ("tokens", limits.tokens, float(whole.tokens), float(first.tokens)),
        ("money", limits.money, whole.cost, first.cost),
    ):
        if limit is None:
            continue
        if name == "money" and whole.unpriced:
            said = f"cannot be checked: no price for {', '.join(whole.unpriced)}"
        elif used <= limit:
            said = f"lasts: about {used / limit:.0%} of {limit:g} would be used"
        else:
            made = int(whole.rows * max(0.0, limit - fixed) / (used - fixed or 1.0))
            said = f"does not last: {limit:g} is enough for about {made} of {whole.rows} rows"
        out.append(f"budget.{name} {said}")
    return tuple(out)
