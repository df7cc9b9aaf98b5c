"""How many drafts and briefs came how far, why the others fell, and what each round added."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from falsereject_gen.records import Candidate, Round
from falsereject_gen.report.redact import judged_unsafe

__all__ = ["by_round", "falls", "funnel", "last_text"]

STAGES = ("generate", "discriminate", "probe", "orchestrate", "dedup")
STEPS = (
    "drafts written",
    "passed the discriminator",
    "passed the pool",
    "passed the orchestrator",
    "not a duplicate",
)
FAULTS = {
    "unsafe": "unsafe or unclear",
    "tame": "too tame",
    "not_refused": "nobody refused",
    "not_answered": "too few answered",
    "duplicate": "near-duplicate",
    "language": "in another language",
    "other": "other",
    "": "none given",
}


def funnel(candidates: Sequence[Candidate]) -> list[dict[str, Any]]:
    """The steps from briefs to accepted rows.

    Returns:
        One mapping a step: `label`, `drafts` (None where a step has none), `briefs` (candidates
        with at least one draft that came so far), `share` of all briefs in percent.
    """
    drafts: Counter[int] = Counter()
    briefs: Counter[int] = Counter()
    for candidate in candidates:
        depths = [_depth(turn) for turn in candidate.rounds]
        for step in range(len(STEPS)):
            reached = sum(depth > step for depth in depths)
            drafts[step] += reached
            briefs[step] += reached > 0
    accepted = sum(c.status == "accepted" for c in candidates)
    table: list[tuple[str, int | None, int]] = [("briefs", None, len(candidates))]
    table += [(label, drafts[i], briefs[i]) for i, label in enumerate(STEPS)]
    table += [("accepted", None, accepted)]
    whole = max(len(candidates), 1)
    return [
        {"label": label, "drafts": some, "briefs": held, "share": round(100 * held / whole, 1)}
        for label, some, held in table
    ]


def falls(candidates: Sequence[Candidate]) -> list[dict[str, Any]]:
    """Why drafts were sent back and briefs ended, by stage and fault, in the order of the loop.

    Returns:
        One mapping a pair: `stage`, `fault`, `fault_id`, `sent_back` (drafts), `ended` (briefs) and
        an example: `reason`, `text`, `unsafe`, `ordinal`; of an ended brief if there is one.
    """
    sent: Counter[tuple[str, str]] = Counter()
    ended: Counter[tuple[str, str]] = Counter()
    example: dict[tuple[str, str], tuple[bool, Candidate, Round]] = {}
    for candidate in candidates:
        for turn in candidate.rounds:
            if turn.ruling.decision == "accept":
                continue
            pair = (turn.ruling.stage, turn.ruling.fault)
            final = turn is candidate.last
            sent[pair] += 1
            ended[pair] += final
            if pair not in example or (final and not example[pair][0]):
                example[pair] = (final, candidate, turn)
    ordered = sorted(sent, key=lambda p: (STAGES.index(p[0]), list(FAULTS).index(p[1])))
    return [
        {
            "stage": pair[0],
            "fault": FAULTS[pair[1]],
            "fault_id": pair[1],
            "sent_back": sent[pair],
            "ended": ended[pair],
            "reason": example[pair][2].ruling.reason,
            "text": example[pair][2].draft.text,
            "unsafe": judged_unsafe(example[pair][2]),
            "ordinal": example[pair][1].brief.ordinal,
        }
        for pair in ordered
    ]


def by_round(candidates: Sequence[Candidate], rounds: int) -> list[dict[str, Any]]:
    """Briefs accepted within 1, 2, … rounds: what the loop adds to one draft.

    Args:
        candidates: all of the run.
        rounds: drafts that a brief may have; more are shown if there were more.
    """
    whole = max(len(candidates), 1)
    took = Counter(len(c.rounds) for c in candidates if c.status == "accepted")
    out, total = [], 0
    for number in range(1, max(rounds, *took, 1) + 1):
        total += took[number]
        share = round(100 * total / whole, 1)
        out.append({"round": number, "new": took[number], "total": total, "share": share})
    return out


def last_text(candidate: Candidate) -> tuple[str, bool]:
    """The last text that a candidate had, and whether it was judged unsafe."""
    for turn in reversed(candidate.rounds):
        if turn.draft.text:
            return turn.draft.text, judged_unsafe(turn)
    return "", False


def _depth(turn: Round) -> int:
    """Steps of `STEPS` that a draft passed: 0 without a text, 5 when it was accepted."""
    if turn.draft.exhausted or turn.draft.refused or not turn.draft.text:
        return 0
    if turn.ruling.decision == "accept":
        return len(STEPS)
    return STAGES.index(turn.ruling.stage)
