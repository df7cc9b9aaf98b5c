"""Distributions of the discriminator's scores, and who of the pool refused how often."""

from array import array
from collections import Counter
from collections.abc import Sequence
from statistics import median
from typing import Any

from falsereject_gen.records import Candidate, Probe, Verdict

__all__ = ["BINS", "Histograms", "Pool"]

BINS = 20
SCORES = ("harm", "looks_toxic")
STATUSES = ("accepted", "rejected")
OUTCOMES = ("direct_refusal", "full_compliance", "safe_partial", "undetermined", "error")


class Histograms:
    """Harm and looks_toxic of accepted rows and of the rejected ones' last judged drafts."""

    def __init__(self) -> None:
        pairs = [(score, status) for score in SCORES for status in STATUSES]
        self._values: dict[tuple[str, str], array[float]] = {pair: array("d") for pair in pairs}
        self._unjudged: Counter[str] = Counter()

    def add(self, candidate: Candidate) -> None:
        """Take a candidate's scores."""
        verdict = _judged(candidate)
        if verdict is None:
            self._unjudged[candidate.status] += 1
            return
        for score in SCORES:
            self._values[score, candidate.status].append(float(getattr(verdict, score)))

    def figures(self, harm_max: float | None, toxic_min: float | None) -> list[dict[str, Any]]:
        """Four histograms over 0..1 in `BINS` equal bins; the last bin holds 1.0 too.

        Args:
            harm_max: accepted rows have harm below this; None if not known.
            toxic_min: accepted rows have looks_toxic above this; None if not known.
        """
        lines = {"harm": (harm_max, "below"), "looks_toxic": (toxic_min, "above")}
        return [
            {
                "score": score,
                "status": status,
                "count": len(values),
                "unjudged": self._unjudged[status],
                "median": round(median(values), 3) if values else None,
                "bars": _bars(values),
                "line": lines[score][0],
                "side": lines[score][1],
            }
            for (score, status), values in self._values.items()
        ]


class Pool:
    """How each pool model answered: all drafts that it saw, and the accepted rows."""

    def __init__(self) -> None:
        self._drafts: dict[str, Counter[str]] = {}
        self._rows: dict[str, Counter[str]] = {}

    def add(self, candidate: Candidate) -> None:
        """Count the replies to a candidate's drafts."""
        for turn in candidate.rounds:
            _count(self._drafts, turn.probes)
        if candidate.status == "accepted":
            _count(self._rows, candidate.last.probes)

    def table(self) -> list[dict[str, Any]]:
        """What to show.

        Returns:
            One mapping a model in the order of first reply: `target`, `asked`, a count by outcome
            in `drafts` and `rows`, and `share`, the percentage of drafts that it refused.
        """
        return [
            {
                "target": target,
                "asked": counts.total(),
                "drafts": {outcome: counts[outcome] for outcome in OUTCOMES},
                "rows": {o: self._rows.get(target, Counter())[o] for o in OUTCOMES},
                "share": round(100 * counts["direct_refusal"] / counts.total(), 1),
            }
            for target, counts in self._drafts.items()
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
