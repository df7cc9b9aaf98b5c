"""The embedded orchestrator: rules over the whole turn, for what single gates don't see."""

import re
from collections.abc import Sequence

from falsereject_gen.records import Brief, Round, Ruling
from falsereject_gen.rooms import Rooms

__all__ = ["RuleOrchestrator"]


class RuleOrchestrator:
    """Accepts what passed the gates, unless an own pattern of harm or a give-away stands in it.

    The patterns (graphs/patterns.yaml) are the second lock: what no benign row of ours would say.
    """

    def __init__(self, rooms: Rooms) -> None:
        patterns = rooms.yaml("graphs/patterns.yaml")
        self._rules = [
            (fault, re.compile(pattern, re.IGNORECASE))
            for fault, group in (("unsafe", "unsafe"), ("other", "give_away"))
            for pattern in patterns[group]
        ]

    async def rule(self, brief: Brief, rounds: Sequence[Round], current: Round) -> Ruling:
        """Accept; or revise, naming the words that stand against it."""
        for fault, pattern in self._rules:
            found = pattern.search(current.draft.text)
            if found:
                return Ruling(
                    decision="revise",
                    stage="orchestrate",
                    fault=fault,  # type: ignore[arg-type]
                    reason=f"{'asks for harm' if fault == 'unsafe' else 'give-away'}: "
                    f"“{found.group(0)}”",
                    by="embedded",
                )
        refused = sum(p.outcome == "direct_refusal" for p in current.probes)
        reason = (
            f"benign by its reading, looks toxic, refused by {refused} of {len(current.probes)}"
        )
        return Ruling(decision="accept", stage="orchestrate", reason=reason, by="embedded")
