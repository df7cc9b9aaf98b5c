"""What the page says first: how far the run came, in facts of its manifest and counts of its store.

The manifest is read as it is found: whatever it lacks is None or empty, never a fault.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from falsereject_gen.records import Candidate
from falsereject_gen.report.funnel import last_text
from falsereject_gen.report.redact import judged_unsafe

__all__ = ["Head", "dig", "number"]


def dig(value: Any, *keys: str) -> Any:
    """What stands under nested keys, or None."""
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def number(value: Any) -> Any:
    """The value if it is a number (a flag is none), else None."""
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


class Head:
    """Counts for the head of the page."""

    def __init__(self) -> None:
        self.total = self._accepted = self._unsafe = self._unsafe_last = 0
        self._languages: Counter[str] = Counter()

    def add(self, candidate: Candidate) -> None:
        """Count a candidate."""
        self.total += 1
        if candidate.status == "accepted":
            self._accepted += 1
            self._languages[candidate.brief.language] += 1
        self._unsafe += any(judged_unsafe(turn) for turn in candidate.rounds)
        self._unsafe_last += last_text(candidate)[1]

    def facts(self, manifest: dict[str, Any] | None, settings: Any, redact: bool) -> dict[str, Any]:
        """Facts for the head of the page.

        Args:
            manifest: of the run; None if the folder has none.
            settings: of the run; None if they are not known.
            redact: whether texts judged unsafe are left out.
        """
        target = number(dig(manifest, "target")) or number(dig(settings, "target"))
        complete = dig(manifest, "complete")
        if not isinstance(complete, bool):
            complete = target is not None and self._accepted >= target
        facts = {key: str(dig(manifest, key) or "") for key in ("run_id", "created", "version")}
        return {
            **facts,
            "cast": str(dig(manifest, "cast") or dig(settings, "cast") or "not recorded"),
            "target": target,
            "accepted": self._accepted,
            "rejected": self.total - self._accepted,
            "complete": complete,
            "languages": dict(sorted(self._languages.items())),
            "not_served": _counts(dig(manifest, "seeds", "not_served")),
            "seeds_unserved": sum(_counts(dig(manifest, "graph", "seeds_unserved")).values()),
            "generic_rows": number(dig(manifest, "graph", "generic_rows")) or 0,
            "why_short": str(dig(manifest, "why_short") or ""),
            "wall_s": number(dig(manifest, "wall_s")),
            "generation_s": number(dig(manifest, "generation_s")),
            "unsafe": self._unsafe,
            "unsafe_last": self._unsafe_last,
            "redact": redact,
            "manifest": manifest is not None,
            "settings": settings is not None,
        }


def _counts(value: Any) -> dict[str, int]:
    """Names with whole numbers, of whatever stands there."""
    found = value.items() if isinstance(value, Mapping) else ()
    return {str(name): int(count) for name, count in found if number(count)}
