"""How many calls a run makes, by role and endpoint: arithmetic on settings, nothing is rendered.

How many drafts a row takes nobody knows before the run. The assumed shares are spelled out.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from falsereject_gen.roles.cast import players, speakers
from falsereject_gen.settings import Role, RunSettings

__all__ = ["SHARES", "UNDECIDED", "Drafts", "calls", "drafts"]

SHARES = {"discriminator": 0.75, "pool": 0.8, "orchestrator": 0.9, "dedup": 0.95}
"""Assumed share of drafts that pass each gate; together about half."""
UNDECIDED = 0.25
"""Assumed share of target replies that the rules leave to the refusal judge."""


@dataclass(frozen=True)
class Drafts:
    """How much is written for the rows that are wanted."""

    briefs: float
    drafts: float


def drafts(rows: int, rounds: int) -> Drafts:
    """Briefs and drafts that so many rows take, if each draft passes as assumed.

    Args:
        rows: wanted and not there yet.
        rounds: drafts a brief may have.
    """
    passes = 1.0
    for share in SHARES.values():
        passes *= share
    return Drafts(briefs=rows / (1 - (1 - passes) ** rounds), drafts=rows / passes)


def calls(
    settings: RunSettings,
    work: Drafts,
    seeds: int,
    votes: Mapping[str, int],
    answered: Mapping[str, int] | None = None,
) -> dict[tuple[str, str], float]:
    """Calls by (card, endpoint); the cards are those of agents/.

    Args:
        settings: who plays what.
        work: what is written.
        seeds: seeds of the run; each is extracted when its first brief comes up, all of them
            beforehand by `extractor: spoken`.
        votes: votes of each card.
        answered: calls by role that the store answers already; only those of an extraction that
            is made beforehand are counted off.
    """
    cast = speakers(settings)
    passed = work.drafts * SHARES["discriminator"]
    judged = passed * SHARES["pool"]
    out: dict[tuple[str, str], float] = defaultdict(float)
    ahead, had = settings.extractor == "spoken", answered or {}
    extracted = float(seeds) if ahead else min(float(seeds), work.briefs)
    asked: dict[Role, float] = {"extractor": extracted * votes["extractor"], "ranker": extracted}
    for role, count in asked.items():
        _rotate(out, cast, role, max(0.0, count - had.get(role, 0) * ahead))
    _rotate(out, cast, "generator", work.drafts)
    for place, name in enumerate(players(settings, "discriminator")):
        if name != "embedded":
            out["discriminator", name] += passed if place else work.drafts
    for name in cast.get("panel", ()):
        out["panel", name] += passed
    pool = cast.get("pool", ())
    for name in pool:
        for card in settings.spoken_pool:
            out[f"target-{card}", name] += passed
    replies = passed * len(pool) * len(settings.spoken_pool)
    _rotate(out, cast, "judge", replies * UNDECIDED * votes["judge"])
    _rotate(out, cast, "orchestrator", judged)
    return dict(out)


def _rotate(
    out: dict[tuple[str, str], float],
    cast: Mapping[Role, tuple[str, ...]],
    role: Role,
    count: float,
) -> None:
    """Endpoints that take turns share the calls of a role."""
    names = cast.get(role, ())
    for name in names:
        out[role, name] += count / len(names)
