"""Near-duplicates: the accepted rows nearest to something, and what was dropped because of whom."""

from collections.abc import Sequence
from typing import Any

from falsereject_gen.records import Candidate
from falsereject_gen.report.redact import toxic_neighbour

__all__ = ["SHOWN", "near_pairs"]

SHOWN = 25
"""Pairs a list holds on the page, which says how many there are; the rows below have them all."""


def near_pairs(candidates: Sequence[Candidate]) -> dict[str, Any]:
    """The nearest pairs, highest cosine first, of accepted rows and of dropped candidates.

    Returns:
        `kept` and `dropped`, lists of at most `SHOWN`, with `kept_total` and `dropped_total`.
    """
    kept = [c for c in candidates if c.status == "accepted" and c.last.nearest]
    dropped = [
        c for c in candidates if c.status == "rejected" and c.stage == "dedup" and c.last.nearest
    ]
    return {
        "kept": _top(kept),
        "kept_total": len(kept),
        "dropped": _top(dropped),
        "dropped_total": len(dropped),
    }


def _top(candidates: Sequence[Candidate]) -> list[dict[str, Any]]:
    pairs: list[dict[str, Any]] = [
        {
            "score": nearest.score,
            "ordinal": candidate.brief.ordinal,
            "text": candidate.last.draft.text,
            "other": nearest.text,
            "other_id": nearest.id,
            "among": nearest.among,
            "toxic": toxic_neighbour(nearest),
        }
        for candidate in candidates
        if (nearest := candidate.last.nearest) is not None
    ]
    return sorted(pairs, key=lambda pair: (-pair["score"], pair["ordinal"]))[:SHOWN]
