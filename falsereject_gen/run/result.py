"""What a run gives back: rows, what was rejected and why, and where everything is."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from falsereject_gen.records import Candidate, Row
from falsereject_gen.run.stored import ends

__all__ = ["RunResult"]


@dataclass(frozen=True)
class RunResult:
    """The outcome of a run; `complete` is False when it could not reach its target.

    `rows` are held as columns and `rejected` stay in the store: sequences that make a record when
    it is looked at. `usage` has one row a role and model, `failures` one a role, kind and HTTP
    status; both cover all sittings of the run and are empty when no endpoint was used.
    """

    out: Path
    run_id: str
    target: int
    rows: Sequence[Row]
    rejected: Sequence[Candidate]
    wall_s: float
    generation_s: float
    why_short: str = ""
    counts: dict[str, Any] = field(default_factory=dict)
    usage: tuple[dict[str, Any], ...] = ()
    failures: tuple[dict[str, Any], ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether the run has exactly the accepted rows that were asked for."""
        return len(self.rows) == self.target

    @property
    def duplicates(self) -> int:
        """Candidates that fell because they stayed too near to something."""
        return self.fell()["dedup"]

    def fell(self) -> Counter[str]:
        """Rejected candidates by the stage at which they ended."""
        found: Counter[str] = Counter()
        for stage, _, count in ends(self.rejected):
            found[stage] += count
        return found

    def report(self) -> Path:
        """Where the page is that shows this run."""
        return self.out / "report.html"

    def summary(self) -> dict[str, Any]:
        """The object that `run --json` prints."""
        return {
            "out": str(self.out),
            "run_id": self.run_id,
            "target": self.target,
            "accepted": len(self.rows),
            "rejected": len(self.rejected),
            "duplicates": self.duplicates,
            "rejected_by_stage": dict(self.fell()),
            "why_short": self.why_short,
            "wall_s": round(self.wall_s, 2),
            "generation_s": round(self.generation_s, 2),
            **self.spent(),
        }

    def spent(self) -> dict[str, Any]:
        """Answered calls, tokens and cost over all sittings; empty when no endpoint was used."""
        if not self.usage:
            return {}
        tokens = sum(row["tokens_in"] + row["tokens_out"] for row in self.usage)
        return {
            "calls": sum(row["calls"] for row in self.usage),
            "tokens": tokens,
            "cost": round(sum(row["cost"] for row in self.usage), 6),
        }
