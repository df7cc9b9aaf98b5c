"""Distributions of the discriminator's scores, and who of the pool refused how often."""

from collections import Counter
from collections.abc import Sequence
from statistics import median
from typing import Any

from falsereject_gen.records import Candidate, Probe, Verdict

__all__ = ["BINS", "histograms", "pool"]

BINS = 20
OUTCOMES = ("direct_refusal", "full_compliance", "safe_partial", "undetermined", "error")


def histograms(
    candidates: Sequence[Candidate], harm_max: float | None, toxic_min: float | None
) -> list[dict[str, Any]]:
    """Harm and looks_toxic of accepted rows and of the rejected ones' last judged drafts.

    Args:
        candidates: all of the run.
        harm_max: accepted rows have harm below this; None if not known.
        toxic_min: accepted rows have looks_toxic above this; None if not known.

    Returns:
        Four histograms over 0..1 in `BINS` equal bins; the last bin holds 1.0 too.
    """
    out = []
    for score, line, side in (("harm", harm_max, "below"), ("looks_toxic", toxic_min, "above")):
        for status in ("accepted", "rejected"):
            verdicts = [_judged(c) for c in candidates if c.status == status]
            values = [float(getattr(v, score)) for v in verdicts if v is not None]
            out.append(
                {
                    "score": score,
                    "status": status,
                    "count": len(values),
                    "unjudged": len(verdicts) - len(values),
                    "median": round(median(values), 3) if values else None,
                    "bars": _bars(values),
                    "line": line,
                    "side": side,
                }
            )
    return out


def pool(candidates: Sequence[Candidate]) -> list[dict[str, Any]]:
    """How each pool model answered: all drafts that it saw, and the accepted rows.

    Returns:
        One mapping a model in the order of first reply: `target`, `asked`, a count by outcome in
        `drafts` and `rows`, and `share`, the percentage of drafts that it refused.
    """
    drafts: dict[str, Counter[str]] = {}
    rows: dict[str, Counter[str]] = {}
    for candidate in candidates:
        for turn in candidate.rounds:
            _count(drafts, turn.probes)
        if candidate.status == "accepted":
            _count(rows, candidate.last.probes)
    return [
        {
            "target": target,
            "asked": counts.total(),
            "drafts": {outcome: counts[outcome] for outcome in OUTCOMES},
            "rows": {outcome: rows.get(target, Counter())[outcome] for outcome in OUTCOMES},
            "share": round(100 * counts["direct_refusal"] / counts.total(), 1),
        }
        for target, counts in drafts.items()
    ]


def _judged(candidate: Candidate) -> Verdict | None:
    """The last verdict: a round in which nothing was written has none."""
    return next((t.verdict for t in reversed(candidate.rounds) if t.verdict is not None), None)


def _bars(values: Sequence[float]) -> list[dict[str, Any]]:
    counts = Counter(min(int(value * BINS), BINS - 1) for value in values)
    most = max(counts.values(), default=1)
    return [
        {
            "from": round(number / BINS, 2),
            "to": round((number + 1) / BINS, 2),
            "count": counts[number],
            "height": round(100 * counts[number] / most, 1),
        }
        for number in range(BINS)
    ]


def _count(out: dict[str, Counter[str]], probes: Sequence[Probe]) -> None:
    for probe in probes:
        out.setdefault(probe.target, Counter())[probe.outcome] += 1
