"""What the endpoints of a run were asked and what that cost, from its manifest."""

from collections import Counter
from typing import Any

from falsereject_gen.report.head import dig, number

__all__ = ["KINDS", "cost"]

KINDS = {
    "rate_limit": "rate limit",
    "overloaded": "overloaded",
    "server": "server error",
    "timeout": "no answer in time",
    "connection": "connection broken",
    "truncated": "answer cut off",
    "empty": "empty reply",
    "request": "request refused",
    "filtered": "content filter",
    "refusal": "the model declined",
    "fatal": "key, quota or model",
}
_SUMS = ("calls", "cached", "failures", "refusals", "tokens_in", "tokens_out", "cost", "seconds")


def cost(manifest: dict[str, Any] | None) -> dict[str, Any] | None:
    """Usage by role and model, and failed tries by kind; None for a run without endpoints.

    Args:
        manifest: of the run; entries that are no mapping are passed over, missing numbers are 0.

    Returns:
        `rows` and their `total` (each with `mean`, seconds a call, or None), `failures` (`kind`,
        `status`, `count` and the `roles` that met them), `warnings`.
    """
    rows = [_row(entry) for entry in dig(manifest, "usage") or () if isinstance(entry, dict)]
    if not rows:
        return None
    total = {key: sum(row[key] for row in rows) for key in _SUMS}
    failed: Counter[tuple[str, int]] = Counter()
    roles: dict[tuple[str, int], Counter[str]] = {}
    for entry in dig(manifest, "failures") or ():
        if isinstance(entry, dict):
            pair = (str(entry.get("kind") or ""), int(number(entry.get("status")) or 0))
            count = int(number(entry.get("count")) or 0)
            failed[pair] += count
            roles.setdefault(pair, Counter())[str(entry.get("role") or "")] += count
    return {
        "rows": rows,
        "total": {**total, "mean": _mean(total)},
        "failures": [
            {
                "kind": KINDS.get(kind, kind),
                "status": status,
                "count": count,
                "roles": ", ".join(f"{role} {n}" for role, n in roles[kind, status].most_common()),
            }
            for (kind, status), count in failed.most_common()
        ],
        "warnings": [str(line) for line in dig(manifest, "warnings") or ()],
    }


def _row(entry: dict[str, Any]) -> dict[str, Any]:
    row = {key: number(entry.get(key)) or 0 for key in _SUMS}
    names = {key: str(entry.get(key) or "") for key in ("role", "model")}
    return {**names, **row, "mean": _mean(row)}


def _mean(row: dict[str, Any]) -> float | None:
    """Seconds a call; None where they are not known (calls of an earlier sitting)."""
    return round(row["seconds"] / row["calls"], 2) if row["calls"] and row["seconds"] else None
