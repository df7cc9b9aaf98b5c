"""Near-duplicates: the accepted rows nearest to something, and what was dropped because of whom."""

from bisect import insort
from typing import Any

from falsereject_gen.records import Candidate, Neighbour
from falsereject_gen.report.redact import toxic_neighbour

__all__ = ["SHOWN", "Near"]

SHOWN = 25
"""Pairs a list holds on the page, which says how many there are; the rows below have them all."""


class Near:
    """The nearest pairs, highest cosine first, of accepted rows and of dropped candidates."""

    def __init__(self) -> None:
        self._kept: list[dict[str, Any]] = []
        self._dropped: list[dict[str, Any]] = []
        self._kept_total = self._dropped_total = 0

    def add(self, candidate: Candidate) -> None:
        """Look at a candidate's nearest text."""
        nearest = candidate.last.nearest
        if nearest is None:
            return
        if candidate.status == "accepted":
            self._kept_total += 1
            _among(self._kept, _pair(candidate, nearest))
        elif candidate.stage == "dedup":
            self._dropped_total += 1
            _among(self._dropped, _pair(candidate, nearest))

    def table(self) -> dict[str, Any]:
        """`kept` and `dropped`, lists of at most `SHOWN`; `kept_total` and `dropped_total`."""
        return {
            "kept": self._kept,
            "kept_total": self._kept_total,
            "dropped": self._dropped,
            "dropped_total": self._dropped_total,
        }


def _pair(candidate: Candidate, nearest: Neighbour) -> dict[str, Any]:
    return {
        "score": nearest.score,
        "ordinal": candidate.brief.ordinal,
        "text": candidate.last.draft.text,
        "other": nearest.text,
        "other_id": nearest.id,
        "among": nearest.among,
        "toxic": toxic_neighbour(nearest),
    }


def _among(best: list[dict[str, Any]], pair: dict[str, Any]) -> None:
    """Put a pair in its place, if it is one of the `SHOWN` first."""
    insort(best, pair, key=lambda pair: (-pair["score"], pair["ordinal"]))
    del best[SHOWN:]
